// What a generate() call asks its host for: functions of the user, in JavaScript. Called on the engine's thread; each
// call returns when the host has answered and may throw, which ends the request with that error.
#pragma once

#include <exception>
#include <memory>
#include <functional>
#include <vector>

#include "generation/options.h"

namespace gt::generation {

// Tokens that may come next.
struct Candidates {
  Ids tokens;
  std::vector<std::vector<float>> scores;  // [tokens][vocab_size]: what each was drawn from; empty: it was not drawn
};

class HostHooks {
 public:
  virtual ~HostHooks() = default;

  // Which of the functions below there are.
  bool has_logits_processor = false;
  bool has_stopping_criteria = false;
  bool has_prefix_allowed_tokens = false;
  bool has_uniforms = false;
  bool has_candidates = false;

  // Changes scores [ids.size(), vocab_size] in place: those processors that stand together as number `group`.
  virtual void process_logits(size_t group, const std::vector<Ids>& ids, float* scores, int32_t vocab_size) = 0;
  // Nonzero for each row that is done, after its last token was appended. `scores` as above: what the token came from.
  virtual std::vector<uint8_t> should_stop(const std::vector<Ids>& ids, const float* scores, int32_t vocab_size) = 0;
  virtual std::vector<int32_t> allowed_tokens(int32_t batch_id, const Ids& ids) = 0;
  // Tokens that may follow `ids`, from an assistant that is to make `count` of its own for them. Where it draws them, it
  // does so by `uniforms`, one for each, and gives what it drew them from. Does not wait: `answer` comes once, from any
  // thread, or never if the request is over before.
  using Answer = std::function<void(Candidates, std::exception_ptr)>;
  virtual void get_candidates(const Ids& ids, int32_t count, std::vector<double> uniforms, Answer answer) = 0;
  // The next `count` numbers in [0, 1).
  virtual std::vector<double> uniforms(size_t count) = 0;

  // From any thread: the call under way, and all later ones, throw Error("aborted").
  virtual void interrupt() = 0;
};

}  // namespace gt::generation
