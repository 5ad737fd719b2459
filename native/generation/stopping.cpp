#include "generation/stopping.h"

#include <algorithm>

#include "errors.h"

namespace gt::generation {

namespace {

size_t characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// Whether `text` and `stop`, laid end to end, agree as far as both reach.
bool agree(std::string_view text, std::string_view stop) { return ends_with(text, stop) || ends_with(stop, text); }

// Calls `found` with the number of characters that `token`, cut after each of its characters, has in common with the
// end of `stop`, until it says true.
template <class Found>
bool for_each_end(std::string_view token, std::string_view stop, Found&& found) {
  for (size_t length = token.size(); length > 0; length--)
    if (agree(token.substr(0, length), stop) && found(std::min(length, stop.size()))) return true;
  return false;
}

}  // namespace

TokenStrings::TokenStrings(const std::vector<const std::string*>& strings) {
  starts_.push_back(0);
  for (const std::string* string : strings) {
    if (string) text_ += *string;
    starts_.push_back(text_.size());
    known_.push_back(string != nullptr);
  }
}

TokenStrings::TokenStrings(std::string_view text, const uint32_t* ends, const uint8_t* known, size_t count)
    : text_(text), starts_{0}, known_(known, known + count) {
  starts_.insert(starts_.end(), ends, ends + count);
}

StopStrings::StopStrings(std::vector<std::string> stop_strings, std::shared_ptr<const TokenStrings> tokens)
    : stop_strings_(std::move(stop_strings)), tokens_(std::move(tokens)) {
  bool possible = false;
  for (const std::string& stop : stop_strings_) {
    window_ = std::max(window_, characters(stop));
    for (int32_t token = 0; token < tokens_->size() && !possible; token++)
      possible = tokens_->has(token) && for_each_end((*tokens_)[token], stop, [](size_t) { return true; });
  }
  if (!possible)
    throw TypeError(
        "Stop string preprocessing was unable to identify tokens matching one or more of the supplied stop string(s). "
        "This is most often caused by the stop strings containing unusual characters that are not in the tokenizer "
        "vocabulary.");
}

bool StopStrings::matches(const Ids& ids) const {
  return !ids.empty() &&
         std::any_of(stop_strings_.begin(), stop_strings_.end(), [&](const auto& stop) { return matches(ids, stop); });
}

// Reference: StopStringCriteria.__call__, which does the same with gathered tables. Lengths are bytes here: strings of
// whole characters agree in UTF-8 where they agree in code points.
bool StopStrings::matches(const Ids& ids, const std::string& stop) const {
  if (!tokens_->has(ids.back())) return false;
  const size_t first = ids.size() - std::min(ids.size(), window_);
  return for_each_end((*tokens_)[ids.back()], stop, [&](size_t matched) {
    for (size_t i = ids.size() - 1; matched < stop.size(); matched += (*tokens_)[ids[i]].size()) {
      if (i == first || !tokens_->has(ids[--i])) return false;
      if (!agree((*tokens_)[ids[i]], std::string_view(stop).substr(0, stop.size() - matched))) return false;
    }
    return true;
  });
}

StoppingCriteria::StoppingCriteria(const GenerationOptions& options, std::shared_ptr<HostHooks> hooks)
    : max_length_(options.max_length),
      max_time_(options.max_time),
      eos_token_id_(options.stop_token_id.value_or(options.eos_token_id)),
      hooks_(hooks && hooks->has_stopping_criteria ? std::move(hooks) : nullptr) {
  if (options.stop_strings.empty()) return;
  if (!options.token_strings) throw TypeError("Expected the strings of the tokens for stop_strings but received none");
  stop_strings_ = std::make_unique<StopStrings>(options.stop_strings, options.token_strings);
}

void StoppingCriteria::check(const std::vector<Ids>& ids, const float* scores, int32_t vocab_size,
                             std::vector<uint8_t>& done) const {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  const bool all = static_cast<int32_t>(ids[0].size()) >= max_length_ || elapsed.count() > max_time_;
  for (size_t row = 0; row < ids.size(); row++) {
    const bool eos = std::count(eos_token_id_.begin(), eos_token_id_.end(), ids[row].back()) > 0;
    if (all || eos || (stop_strings_ && stop_strings_->matches(ids[row]))) done[row] = 1;
  }
  if (!hooks_) return;
  const std::vector<uint8_t> host = hooks_->should_stop(ids, scores, vocab_size);
  for (size_t row = 0; row < std::min(done.size(), host.size()); row++) done[row] |= host[row] != 0;
}

}  // namespace gt::generation
