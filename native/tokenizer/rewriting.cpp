#include "tokenizer/rewriting.h"

#include "unicode/normalize.h"

namespace gt::tokenizer {

void normalize_to(Pieces& pieces, unicode::Form form) {
  std::vector<unicode::Changed> changed;
  const auto concerns = [&](std::string_view text) {
    size_t begin, end;
    return !unicode::is_ascii(text) && unicode::next_unstable(text, form, 0, begin, end);
  };
  pieces.rewrite(concerns, [&](std::string_view text, Pieces::Rewriter& out) {
    size_t from = 0, begin, end;
    while (unicode::next_unstable(text, form, from, begin, end)) {
      out.copy(begin - from);
      changed.clear();
      unicode::normalize(text.substr(begin, end - begin), form, changed);
      for (const unicode::Changed& c : changed) out.put(c.c, c.change);
      from = end;
    }
    out.copy(text.size() - from);
  });
}

void lowercase(Pieces& pieces) {
  const auto concerns = [](std::string_view text) {
    for (const char c : text) {
      if ((c >= 'A' && c <= 'Z') || static_cast<uint8_t>(c) >= 0x80) return true;
    }
    return false;
  };
  pieces.rewrite(concerns, [](std::string_view text, Pieces::Rewriter& out) {
    for (size_t i = 0, width; i < text.size(); i += width) {
      char32_t lower[2];
      const size_t n = unicode::to_lower(unicode::decode(text.data() + i, width), lower);
      for (size_t k = 0; k < n; k++) out.put(lower[k], k > 0 ? 1 : 0);
    }
  });
}

void replace(Pieces& pieces, std::string_view what, std::string_view content) {
  if (what.empty()) return;
  const auto find = [&](std::string_view text, size_t from) {
    return what.size() == 1 ? text.find(what[0], from) : text.find(what, from);
  };
  pieces.rewrite([&](std::string_view text) { return find(text, 0) != text.npos; },
                 [&](std::string_view text, Pieces::Rewriter& out) {
                   size_t from = 0;
                   for (size_t at; (at = find(text, from)) != text.npos; from = at + what.size()) {
                     out.copy(at - from);
                     out.replace(what.size(), content);
                   }
                   out.copy(text.size() - from);
                 });
}

}  // namespace gt::tokenizer
