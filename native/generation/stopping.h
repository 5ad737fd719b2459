// Stopping criteria, each said for each row (generation/stopping_criteria.py).
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generation/host_hooks.h"
#include "generation/options.h"

namespace gt::generation {

// What each id of a vocabulary adds to a text, in UTF-8; made once for each tokenizer.
class TokenStrings {
 public:
  // Ids that no token has are null.
  explicit TokenStrings(const std::vector<const std::string*>& strings);
  // Those of all ids one after another, of id i up to ends[i], which ascend to the end of `text`.
  TokenStrings(std::string_view text, const uint32_t* ends, const uint8_t* known, size_t count);

  int32_t size() const { return static_cast<int32_t>(starts_.size()) - 1; }
  bool has(int32_t token) const { return token >= 0 && token < size() && known_[static_cast<size_t>(token)]; }
  std::string_view operator[](int32_t token) const {
    const size_t start = starts_[static_cast<size_t>(token)];
    return {text_.data() + start, starts_[static_cast<size_t>(token) + 1] - start};
  }

 private:
  std::string text_;
  std::vector<size_t> starts_;
  std::vector<bool> known_;
};

// StopStringCriteria: whether the tokens end with a stop string, text after it inside the last token allowed.
class StopStrings {
 public:
  // Throws TypeError when no token can end one of the strings.
  StopStrings(std::vector<std::string> stop_strings, std::shared_ptr<const TokenStrings> tokens);
  bool matches(const Ids& ids) const;

 private:
  bool matches(const Ids& ids, const std::string& stop) const;

  std::vector<std::string> stop_strings_;
  std::shared_ptr<const TokenStrings> tokens_;
  size_t window_ = 0;  // tokens looked at: as many as the longest string has characters
};

class StoppingCriteria {
 public:
  // The clock of max_time starts here.
  StoppingCriteria(const GenerationOptions& options, std::shared_ptr<HostHooks> hooks);

  // Whether check() needs scores.
  bool asks_host() const { return hooks_ != nullptr; }
  // Marks in `done` the rows that end here. `scores` [ids.size(), vocab_size]: for the host's criteria.
  void check(const std::vector<Ids>& ids, const float* scores, int32_t vocab_size, std::vector<uint8_t>& done) const;

 private:
  int32_t max_length_;
  double max_time_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::vector<int32_t> eos_token_id_;
  std::unique_ptr<StopStrings> stop_strings_;
  std::shared_ptr<HostHooks> hooks_;
};

}  // namespace gt::generation
