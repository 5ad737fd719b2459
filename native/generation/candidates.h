// Where the guesses of assisted decoding come from (generation/candidate_generator.py).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "generation/assistant_strategy.h"
#include "generation/logits_processor.h"
#include "generation/request.h"
#include "generation/sampler.h"

namespace gt::generation {

// Lives on the thread of the engine whose tokens it guesses.
class CandidateGenerator {
 public:
  virtual ~CandidateGenerator() = default;
  // Begins to look for tokens to follow `ids`.
  virtual void ask(const Ids& ids) = 0;
  // What it found, once; nothing as long as it looks. Throws what went wrong.
  virtual std::optional<Candidates> get_candidates() = 0;
  // So many of the last candidates were right.
  virtual void update_candidate_strategy(size_t) {}
  virtual void fill(Result&) const {}
};

// Looks for what followed the last tokens the time before.
class PromptLookupCandidateGenerator final : public CandidateGenerator {
 public:
  // `processors` and `options` must outlive this.
  PromptLookupCandidateGenerator(const GenerationOptions& options, const LogitsProcessorList& processors, int32_t vocab_size)
      : options_(options), processors_(processors), vocab_size_(vocab_size) {}

  void ask(const Ids& ids) override { found_ = find(ids); }
  std::optional<Candidates> get_candidates() override { return Candidates{std::move(found_), {}}; }

 private:
  Ids find(const Ids& ids);
  Ids allowed(const Ids& ids, Ids candidates);

  const GenerationOptions& options_;
  const LogitsProcessorList& processors_;
  int32_t vocab_size_;
  Ids found_;
  std::vector<float> scores_;
};

// Where an answer is left from another thread; it may come after the call that wanted it is over.
template <class Answer>
class Inbox {
 public:
  // `wake`: tells the engine that waits, from any thread.
  explicit Inbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  // False: nobody waits any more.
  bool put(Answer answer) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!wake_) return false;
    answer_ = std::move(answer);
    wake_();
    return true;
  }
  void fail(std::exception_ptr failure) {
    std::lock_guard<std::mutex> lock(mutex_);
    failure_ = failure;
    if (wake_) wake_();
  }
  // What is there; throws what went wrong instead.
  std::optional<Answer> take() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return std::exchange(answer_, std::nullopt);
  }
  // Nobody is woken after this.
  void close() {
    std::lock_guard<std::mutex> lock(mutex_);
    wake_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
  std::optional<Answer> answer_;
  std::exception_ptr failure_;
};

// Asks the host, who knows of an assistant that has other tokens.
class HostCandidateGenerator final : public CandidateGenerator {
 public:
  // `request` must outlive this. `uniforms` are shared with it; null: its tokens are not drawn.
  HostCandidateGenerator(const Request& request, std::shared_ptr<Uniforms> uniforms, int32_t vocab_size);
  ~HostCandidateGenerator() override { inbox_->close(); }

  void ask(const Ids& ids) override;
  std::optional<Candidates> get_candidates() override;
  void update_candidate_strategy(size_t matches) override { strategy_.update(proposed_, matches); }
  void fill(Result& result) const override { result.assistant = strategy_.state(); }

 private:
  const Request& request_;
  std::shared_ptr<Uniforms> uniforms_;
  int32_t vocab_size_;
  AssistantStrategy strategy_;
  std::shared_ptr<Inbox<Candidates>> inbox_;
  bool asked_ = false;
  size_t proposed_ = 0;
};

// Lets another model go ahead. Its calls are requests like any others, to its own engine: nobody waits for anybody.
class AssistedCandidateGenerator final : public CandidateGenerator {
 public:
  // `request` is the call that is assisted; it and `processors` must outlive this. `uniforms` are shared with it.
  AssistedCandidateGenerator(const Request& request, const LogitsProcessorList& processors, std::shared_ptr<Uniforms> uniforms);
  ~AssistedCandidateGenerator() override;

  void ask(const Ids& ids) override;
  std::optional<Candidates> get_candidates() override;
  void update_candidate_strategy(size_t matches) override { strategy_.update(proposed_, matches); }
  void fill(Result& result) const override { result.assistant = strategy_.state(); }

 private:
  const Request& request_;
  const LogitsProcessorList& processors_;
  std::shared_ptr<HostHooks> hooks_;
  AssistantStrategy strategy_;
  std::shared_ptr<Inbox<Result>> inbox_;
  std::shared_ptr<Cache> cache_;  // the assistant's row
  Ids cached_;                    // what it was made from
  size_t padding_ = 0;
  size_t asked_at_ = 0;           // tokens that it was asked to continue
  size_t proposed_ = 0;           // candidates in its last answer
  bool asked_ = false;
  uint64_t call_ = 0;             // under way; 0: none
};

std::unique_ptr<CandidateGenerator> make_candidate_generator(const Request& request, const LogitsProcessorList& processors,
                                                             std::shared_ptr<Uniforms> uniforms, int32_t vocab_size);

}  // namespace gt::generation
