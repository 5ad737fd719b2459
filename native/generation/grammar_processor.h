// Keeps what is generated inside a grammar (the option `response_format`).
#pragma once

#include "generation/logits_processor.h"
#include "grammar/grammar.h"

namespace gt::generation {

class GrammarLogitsProcessor final : public LogitsProcessor {
 public:
  // Of the options: grammar, eos_token_id, and what forces tokens, which goes before the grammar. Tokens of eos_token_id
  // come where the text may end, and nowhere else. The grammar looks at no token of the prompt. With beams a row from
  // which nothing leads on is one that others outdo, no error. Throws TypeError without an eos_token_id.
  GrammarLogitsProcessor(const GenerationOptions& options, int32_t prompt_length);
  const char* name() const override { return "GrammarLogitsProcessor"; }
  // Throws Error("no_tokens") when no token is left, Error("grammar_limit").
  void process(ScoresRow& row) override;
  void process_all(std::vector<ScoresRow>& rows) override;

 private:
  grammar::Cursor cursor_of(const int32_t* tokens, size_t count, int32_t row) const;

  std::shared_ptr<const grammar::Grammar> grammar_;
  std::vector<int32_t> eos_token_id_;
  size_t prompt_length_;  // with a first token that is forced
  size_t forced_length_;  // of rows whose next token is forced to be the end
  bool may_die_;
  std::vector<grammar::Cursor> cursors_, before_;  // of the rows of this step, and of the step before
};

// Throws Error("no_sequences") if one of the sequences left the grammar: there are fewer texts in it than were asked for.
void check_sequences(const GenerationOptions& options, size_t prompt_length, const std::vector<Ids>& sequences);

}  // namespace gt::generation
