// A grammar for the tokens of one vocabulary: which of them may come next. Safe for several threads.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "grammar/automaton.h"
#include "grammar/vocabulary.h"

namespace gt::grammar {

// The tokens that may come next.
struct Allowed {
  std::vector<uint64_t> bits;    // one for each id of the vocabulary
  std::vector<int32_t> tokens;   // ascending; filled if there are few
  int32_t count = 0;
  bool complete = false;         // the text may end here

  bool has(int32_t token) const {
    const auto i = static_cast<size_t>(token);
    return token >= 0 && i / 64 < bits.size() && bits[i / 64] >> (i % 64) & 1;
  }
};

// What a row generated, and the state that this leads to. Belongs to one grammar.
class Cursor {
 public:
  const std::vector<int32_t>& tokens() const { return tokens_; }

 private:
  friend class Grammar;
  std::vector<int32_t> tokens_;
  uint64_t epoch_ = 0;
  Automaton::State state_ = Automaton::dead;
};

class Grammar {
 public:
  static constexpr int32_t few = 256;

  // `text` is a grammar as gbnf.h reads them. Throws RangeError.
  Grammar(std::string_view text, std::shared_ptr<const Vocabulary> vocabulary);

  // The cursor after `count` tokens; `near` may be null, or a cursor behind a part of them.
  Cursor at(const int32_t* tokens, size_t count, const Cursor* near) const;
  // What may follow; null if the tokens are no beginning of a text of the grammar. Throws Error("grammar_limit") for
  // grammars that are too ambiguous.
  std::shared_ptr<const Allowed> allowed(Cursor& cursor) const;
  // Whether the grammar has this text, or with `beginning` one that starts with it.
  bool matches(std::string_view text, bool beginning) const;

 private:
  void advance(Cursor& cursor, int32_t token) const;
  void renew(Cursor& cursor) const;
  std::shared_ptr<const Allowed> find_allowed(Automaton::State state) const;
  void make_room() const;

  std::shared_ptr<const Vocabulary> vocabulary_;
  mutable std::mutex mutex_;
  mutable Automaton automaton_;
  mutable uint64_t epoch_ = 1;  // one more each time that all states were forgotten
  mutable Automaton::State start_ = Automaton::dead;
  mutable std::unordered_map<Automaton::State, std::shared_ptr<const Allowed>> known_;
  mutable size_t known_bytes_ = 0;
};

}  // namespace gt::grammar
