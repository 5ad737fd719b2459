#include "regex/regex.h"

#include <algorithm>
#include <iterator>

#include "errors.h"
#include "regex/compiler.h"
#include "unicode/unicode.h"
#include "unicode/utf8.h"

namespace gt::regex {

Regex::Regex(std::string_view pattern) { Compiler(*this).run(parse(pattern)); }

// Runs the program over one text.
class Machine {
 public:
  Machine(const Regex& regex, std::string_view text)
      : regex_(regex), begin_(text.data()), end_(text.data() + text.size()), slots_(regex.slots_), budget_(20'000'000 + 500 * text.size()) {}

  // Tries to match at `p`; `search_begin` is what \G means. Null if it does not.
  const char* match(const char* p, const char* search_begin) {
    search_begin_ = search_begin;
    start_ = p;
    slots_.assign(slots_.size(), nullptr);
    stack_.clear();
    return run(0, p, nullptr);
  }
  // Where the match starts: behind the last \K.
  const char* start() const { return start_; }

 private:
  using Op = Regex::Op;

  struct Frame {
    enum class Kind : uint8_t { branch, run, slot } kind;
    uint32_t index;         // instruction, or slot
    const char* position;   // to go on from, or the old value
    const char* least;      // of a run: how far it can give back
  };

  static constexpr size_t kMaxFrames = 4'000'000;

  void step() {
    if (budget_-- == 0 || stack_.size() > kMaxFrames) throw Error("regex_limit", "A regular expression of the tokenizer takes too many steps on this text");
  }

  char32_t at(const char* p, size_t& width) const { return unicode::decode(p, width); }
  bool is_word_at(const char* p) const {
    if (p >= end_) return false;
    size_t width;
    const char32_t c = at(p, width);
    const auto* last = std::end(kLatin1WordNumbers);
    return unicode::is_word(c) || std::find(std::begin(kLatin1WordNumbers), last, c) != last;
  }
  bool is_boundary(const char* p) const { return (p > begin_ && is_word_at(unicode::previous(begin_, p))) != is_word_at(p); }

  void set_slot(uint32_t slot, const char* value) {
    stack_.push_back({Frame::Kind::slot, slot, slots_[slot], nullptr});
    slots_[slot] = value;
  }

  // Goes back to the last choice above `base`; false if there is none.
  bool backtrack(size_t base, uint32_t& pc, const char*& p) {
    while (stack_.size() > base) {
      Frame& frame = stack_.back();
      switch (frame.kind) {
        case Frame::Kind::slot:
          slots_[frame.index] = frame.position;
          stack_.pop_back();
          break;
        case Frame::Kind::branch:
          pc = frame.index;
          p = frame.position;
          stack_.pop_back();
          return true;
        case Frame::Kind::run:
          p = frame.position = unicode::previous(begin_, frame.position);
          pc = frame.index;
          if (p <= frame.least) stack_.pop_back();
          return true;
      }
    }
    return false;
  }

  // Forgets the choices above `base`, not what slots to set back.
  void cut(size_t base) {
    size_t kept = base;
    for (size_t i = base; i < stack_.size(); i++) {
      if (stack_[i].kind == Frame::Kind::slot) stack_[kept++] = stack_[i];
    }
    stack_.resize(kept);
  }

  // Sets back every slot and forgets all above `base`.
  void undo(size_t base) {
    uint32_t pc;
    const char* p;
    while (backtrack(base, pc, p)) {
    }
  }

  // From instruction `pc` to its `end`; with `target` the match must end there.
  const char* run(uint32_t pc, const char* p, const char* target) {
    const size_t base = stack_.size();
    for (;;) {
      step();
      const Regex::Instruction& in = regex_.program_[pc];
      bool ok = true;
      switch (in.op) {
        case Op::end:
          if (!target || p == target) return p;
          ok = false;
          break;
        case Op::set: {
          size_t width;
          ok = p < end_ && regex_.sets_[in.x].has(at(p, width));
          if (ok) p += width;
          pc++;
          break;
        }
        case Op::run: ok = run_of_set(in, pc, p); break;
        case Op::split:
          stack_.push_back({Frame::Kind::branch, in.y, p, nullptr});
          pc = in.x;
          break;
        case Op::jump: pc = in.x; break;
        case Op::save:
          set_slot(in.x, p);
          pc++;
          break;
        case Op::empty_begin:
          set_slot(in.x, p);
          pc++;
          break;
        case Op::empty_check:  // a round that took nothing is the last
          pc += slots_[in.x] == p ? 2 : 1;
          break;
        case Op::back_reference: ok = refer(in, p); pc++; break;
        case Op::atomic:
        case Op::look:
        case Op::behind: {
          const size_t before = stack_.size();
          const char* q = in.op == Op::behind ? look_behind(in, pc + 1, p) : run(pc + 1, p, nullptr);
          if (in.op == Op::atomic) {
            ok = q != nullptr;
            if (ok) p = q;
          } else {
            ok = (q != nullptr) != in.flag;
          }
          if (q && ok) cut(before);
          else undo(before);
          pc = in.x;
          break;
        }
        case Op::line_begin: ok = p == begin_ || (p[-1] == '\n' && p < end_); pc++; break;
        case Op::line_end: ok = p == end_ || *p == '\n'; pc++; break;
        case Op::text_begin: ok = p == begin_; pc++; break;
        case Op::text_end: ok = p == end_; pc++; break;
        case Op::text_end_newline: ok = p == end_ || (p + 1 == end_ && *p == '\n'); pc++; break;
        case Op::word_boundary: ok = is_boundary(p); pc++; break;
        case Op::no_word_boundary: ok = !is_boundary(p); pc++; break;
        case Op::search_begin: ok = p == search_begin_; pc++; break;
        case Op::keep: start_ = p; pc++; break;
      }
      if (!ok && !backtrack(base, pc, p)) return nullptr;
    }
  }

  // As many characters of a set as there are, to be given back one by one.
  bool run_of_set(const Regex::Instruction& in, uint32_t& pc, const char*& p) {
    const CharSet& set = regex_.sets_[in.x];
    const char* least = p;
    const char* q = p;
    uint32_t count = 0;
    size_t width;
    for (; count < in.z && q < end_ && set.has(at(q, width)); count++) {
      q += width;
      if (count < in.y) least = q;
    }
    budget_ -= std::min<uint64_t>(budget_, count / 8);
    if (count < in.y) return false;
    pc++;
    if (q > least) stack_.push_back({Frame::Kind::run, pc, q, least});
    p = q;
    return true;
  }

  bool refer(const Regex::Instruction& in, const char*& p) {
    const char *from = slots_[in.x], *to = slots_[in.x + 1];
    if (!from || !to) return false;
    for (size_t a, b; from < to; from += a, p += b) {
      if (p >= end_) return false;
      const char32_t c = at(from, a), d = at(p, b);
      if (c != d && !(in.flag && unicode::fold(c) == unicode::fold(d))) return false;
    }
    return true;
  }

  const char* look_behind(const Regex::Instruction& in, uint32_t pc, const char* p) {
    const char* q = p;
    for (uint32_t length = 0;; length++) {
      if (length >= in.y) {
        const size_t before = stack_.size();
        if (run(pc, q, p)) return p;
        undo(before);
      }
      if (length == in.z || q == begin_) return nullptr;
      q = unicode::previous(begin_, q);
    }
  }

  const Regex& regex_;
  const char *begin_, *end_;
  const char* search_begin_ = nullptr;
  const char* start_ = nullptr;
  std::vector<const char*> slots_;
  std::vector<Frame> stack_;
  uint64_t budget_;
};

// FindMatches of the Rust crate onig.
void Regex::find_all(std::string_view text, const std::function<void(size_t, size_t)>& found) const {
  Machine machine(*this, text);
  const char *begin = text.data(), *end = begin + text.size();
  const char* from = begin;          // where the search starts
  const char* last_end = nullptr;    // of the match before
  while (from <= end) {
    const char* stop = nullptr;
    const char* p = from;
    for (;; p += unicode::length(static_cast<uint8_t>(*p))) {
      const bool can_start = can_be_empty_ || (p < end && first_[static_cast<uint8_t>(*p)]);
      if (can_start && (stop = machine.match(p, from))) break;
      if (p >= end) return;
    }
    const char* start = machine.start();
    if (start == stop && last_end == stop) {
      if (from >= end) return;
      from += unicode::length(static_cast<uint8_t>(*from));
      continue;
    }
    found(static_cast<size_t>(start - begin), static_cast<size_t>(stop - begin));
    from = last_end = stop;
  }
}

}  // namespace gt::regex
