#include "generation/grammar_processor.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "errors.h"
#include "generation/math.h"

namespace gt::generation {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
// A beam that is over: finite, so that normalising it gives no NaN.
constexpr float hopeless = -1e30f;

// The tokens that the grammar does not look at: the prompt, and a first token that is forced.
size_t unseen(const GenerationOptions& options, size_t prompt_length) {
  return prompt_length + (prompt_length == 1 && options.forced_bos_token_id);
}

}  // namespace

GrammarLogitsProcessor::GrammarLogitsProcessor(const GenerationOptions& options, int32_t prompt_length)
    : grammar_(options.grammar),
      eos_token_id_(options.eos_token_id),
      prompt_length_(unseen(options, static_cast<size_t>(prompt_length))),
      forced_length_(options.forced_eos_token_id.empty() ? 0 : static_cast<size_t>(options.max_length) - 1),
      may_die_(options.num_beams > 1) {
  if (eos_token_id_.empty())
    throw TypeError("Expected an eos_token_id with response_format, so that an answer can end, but received none");
}

void GrammarLogitsProcessor::process_all(std::vector<ScoresRow>& rows) {
  before_.swap(cursors_);
  cursors_.clear();
  for (ScoresRow& row : rows) process(row);
}

// The state is a function of the tokens: most rows go on from what a row of the step before had.
grammar::Cursor GrammarLogitsProcessor::cursor_of(const int32_t* tokens, size_t count, int32_t row) const {
  const auto is_near = [&](const grammar::Cursor& cursor) {
    return cursor.tokens().size() + 1 == count && std::equal(cursor.tokens().begin(), cursor.tokens().end(), tokens);
  };
  const auto index = static_cast<size_t>(row);
  const grammar::Cursor* near = nullptr;
  if (index < before_.size() && is_near(before_[index])) near = &before_[index];
  for (size_t i = 0; i < before_.size() && !near; i++)
    if (is_near(before_[i])) near = &before_[i];
  return grammar_->at(tokens, count, near);
}

void GrammarLogitsProcessor::process(ScoresRow& row) {
  if (row.ids->size() < prompt_length_ || row.ids->size() == forced_length_) return;
  const auto begin = row.ids->begin() + static_cast<std::ptrdiff_t>(prompt_length_);
  const bool ended = std::any_of(begin, row.ids->end(), [&](int32_t token) {
    return std::count(eos_token_id_.begin(), eos_token_id_.end(), token) > 0;
  });
  if (ended && !may_die_) return;
  std::shared_ptr<const grammar::Allowed> allowed;
  if (!ended) {
    cursors_.push_back(cursor_of(row.ids->data() + prompt_length_, row.ids->size() - prompt_length_, row.row));
    allowed = grammar_->allowed(cursors_.back());
  }
  if (!allowed) {
    if (may_die_) std::fill(row.scores, row.scores + row.vocab_size, hopeless);
    return;
  }

  std::vector<std::pair<int32_t, float>> ends;
  for (int32_t token : eos_token_id_) {
    if (!row.has(token)) continue;
    if (allowed->complete) ends.emplace_back(token, row.scores[token]);
    row.scores[token] = -infinity;
  }
  bool possible = false;
  const bool few = allowed->count <= grammar::Grammar::few;
  if (few) {
    for (int32_t token : allowed->tokens)
      if (row.has(token) && std::count(eos_token_id_.begin(), eos_token_id_.end(), token) == 0) ends.emplace_back(token, row.scores[token]);
    std::sort(ends.begin(), ends.end());
    ends.erase(std::unique(ends.begin(), ends.end(), [](const auto& a, const auto& b) { return a.first == b.first; }), ends.end());
    std::fill(row.scores, row.scores + row.vocab_size, -infinity);
  } else {
    for (int32_t token = 0; token < row.vocab_size; token++)
      if (!allowed->has(token)) row.scores[token] = -infinity;
    possible = maximum(row.scores, row.vocab_size) > -infinity;
  }
  row.narrowed = few;
  row.kept.clear();
  for (const auto& [token, score] : ends) {
    row.scores[token] = score;
    possible |= score > -infinity;
    if (few) row.kept.push_back(token);
  }
  if (possible) return;
  if (may_die_) {
    std::fill(row.scores, row.scores + row.vocab_size, hopeless);
    row.narrowed = false;
    return;
  }
  const size_t length = row.ids->size() - prompt_length_;
  throw Error("no_tokens", "No token is left after " + std::to_string(length) + " new ones: " +
                               (allowed->count == 0 && !allowed->complete
                                    ? "the tokenizer has none that goes on as response_format asks"
                                    : "those that response_format allows are forbidden by other options"));
}

void check_sequences(const GenerationOptions& options, size_t prompt_length, const std::vector<Ids>& sequences) {
  if (!options.grammar) return;
  prompt_length = unseen(options, prompt_length);
  for (const Ids& sequence : sequences) {
    size_t end = prompt_length;
    const auto is_eos = [&](int32_t token) { return std::count(options.eos_token_id.begin(), options.eos_token_id.end(), token) > 0; };
    while (end < sequence.size() && !is_eos(sequence[end])) end++;
    // Shorter beams without an end are filled up with what is no text.
    size_t length = end - std::min(prompt_length, end);
    while (length > 0 && end == sequence.size() && sequence[prompt_length + length - 1] == options.pad_token_id) length--;
    grammar::Cursor cursor = options.grammar->at(sequence.data() + std::min(prompt_length, sequence.size()), length, nullptr);
    if (!options.grammar->allowed(cursor))
      throw Error("no_sequences", "response_format and the other options leave fewer answers than num_return_sequences asks for");
  }
}

}  // namespace gt::generation
