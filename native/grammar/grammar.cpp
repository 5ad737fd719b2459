#include "grammar/grammar.h"

#include <algorithm>
#include <bitset>

#include "errors.h"
#include "grammar/gbnf.h"
#include "grammar/network.h"
#include "unicode/utf8.h"

namespace gt::grammar {

namespace {

constexpr size_t most_bytes = size_t{64} << 20;   // of states and of what is allowed in them, before all are forgotten
constexpr size_t most_at_once = size_t{512} << 20;  // of the states that one token asks for

}  // namespace

Grammar::Grammar(std::string_view text, std::shared_ptr<const Vocabulary> vocabulary)
    : vocabulary_(std::move(vocabulary)),
      automaton_(build(parse(text), [this](std::string_view token) { return vocabulary_->find(token); })) {
  start_ = automaton_.start();
}

Cursor Grammar::at(const int32_t* tokens, size_t count, const Cursor* near) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  Cursor cursor;
  const bool goes_on = near && near->epoch_ == epoch_ && near->tokens_.size() <= count &&
                       std::equal(near->tokens_.begin(), near->tokens_.end(), tokens);
  cursor.epoch_ = epoch_;
  cursor.state_ = goes_on ? near->state_ : start_;
  cursor.tokens_.reserve(count);
  if (goes_on) cursor.tokens_ = near->tokens_;
  automaton_.allow_work();
  for (size_t i = cursor.tokens_.size(); i < count; i++) advance(cursor, tokens[i]);
  return cursor;
}

void Grammar::advance(Cursor& cursor, int32_t token) const {
  cursor.tokens_.push_back(token);
  Automaton::State& state = cursor.state_;
  if (state == Automaton::dead) return;
  const std::vector<int32_t>& named = automaton_.tokens();
  const auto found = std::find(named.begin(), named.end(), token);
  if (found != named.end()) {
    const Automaton::State after = automaton_.step_token(state, static_cast<size_t>(found - named.begin()));
    if (after != Automaton::dead) {
      state = after;
      return;
    }
  }
  const std::string_view text = vocabulary_->text(token);
  if (text.empty()) state = Automaton::dead;
  for (size_t i = 0; i < text.size() && state != Automaton::dead; i++) state = automaton_.step(state, static_cast<uint8_t>(text[i]));
}

std::shared_ptr<const Allowed> Grammar::allowed(Cursor& cursor) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  automaton_.allow_work();
  make_room();
  renew(cursor);
  if (cursor.state_ == Automaton::dead) return nullptr;
  auto& known = known_[cursor.state_];
  if (!known) {
    known = find_allowed(cursor.state_);
    known_bytes_ += known->bits.size() * sizeof(uint64_t) + known->tokens.size() * sizeof(int32_t) + 100;
  }
  return known;
}

// Forgets all states when they take too much memory.
void Grammar::make_room() const {
  if (automaton_.memory() + known_bytes_ < most_bytes) return;
  automaton_.clear();
  known_.clear();
  known_bytes_ = 0;
  epoch_++;
  start_ = automaton_.start();
}

// Finds the state again if it was forgotten.
void Grammar::renew(Cursor& cursor) const {
  if (cursor.epoch_ == epoch_) return;
  std::vector<int32_t> tokens;
  tokens.swap(cursor.tokens_);
  cursor.epoch_ = epoch_;
  cursor.state_ = start_;
  for (int32_t token : tokens) advance(cursor, token);
}

std::shared_ptr<const Allowed> Grammar::find_allowed(Automaton::State state) const {
  auto result = std::make_shared<Allowed>();
  result->complete = automaton_.complete(state);
  result->bits.assign((static_cast<size_t>(vocabulary_->size()) + 63) / 64, 0);
  const auto allow = [bits = result->bits.data()](int32_t token) {
    bits[static_cast<size_t>(token) / 64] |= uint64_t{1} << (token % 64);
  };
  const Vocabulary::Trie& trie = vocabulary_->trie();
  const std::vector<int32_t>& tokens = trie.tokens;
  std::vector<Automaton::State> states(trie.deepest + 1, Automaton::dead);  // by depth, on the way down
  states[0] = state;
  const auto count = static_cast<uint32_t>(trie.nodes.size());
  for (uint32_t i = 0; i < count;) {
    const Vocabulary::Node& node = trie.nodes[i];
    const Automaton::State after = automaton_.step(states[node.depth - 1], node.byte);
    if (after == Automaton::dead) {
      i = node.next;
      continue;
    }
    states[node.depth] = after;
    for (uint32_t t = i == 0 ? 0 : trie.nodes[i - 1].tokens_end; t < node.tokens_end; t++) allow(tokens[t]);
    if ((i & 1023) == 0 && automaton_.memory() > most_at_once)
      throw Error("grammar_limit", "response_format: the grammar is too ambiguous: one token takes more than " +
                                       std::to_string(most_at_once >> 20) + " MiB");
    i++;
  }
  const std::vector<int32_t>& named = automaton_.tokens();
  for (size_t i = 0; i < named.size(); i++)
    if (named[i] < vocabulary_->size() && automaton_.step_token(state, i) != Automaton::dead) allow(named[i]);
  for (const uint64_t word : result->bits) result->count += static_cast<int32_t>(std::bitset<64>(word).count());
  if (result->count <= few)
    for (size_t word = 0; word < result->bits.size(); word++)
      for (uint64_t bits = result->bits[word]; bits != 0; bits &= bits - 1)
        result->tokens.push_back(static_cast<int32_t>(word * 64) + unicode::trailing_zeros(bits));
  return result;
}

bool Grammar::matches(std::string_view text, bool beginning) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  make_room();
  Automaton::State state = start_;
  for (size_t i = 0; i < text.size() && state != Automaton::dead; i++) {
    automaton_.allow_work();
    state = automaton_.step(state, static_cast<uint8_t>(text[i]));
  }
  return state != Automaton::dead && (beginning || automaton_.complete(state));
}

}  // namespace gt::grammar
