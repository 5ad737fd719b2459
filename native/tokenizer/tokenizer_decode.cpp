// The half of Tokenizer that decodes.
#include <algorithm>

#include "tokenizer/tokenizer.h"
#include "unicode/utf8.h"

namespace gt::tokenizer {

const Tokenizer::DecodeTable& Tokenizer::decode_table() {
  if (!decode_table_.ends.empty()) return decode_table_;
  size_t end = vocabulary().end_id();
  if (!added_.by_id().empty()) end = std::max<size_t>(end, added_.by_id().rbegin()->first + 1);
  decode_table_.ends.reserve(end);
  decode_table_.flags.reserve(end);
  std::string token, bytes;
  for (uint32_t id = 0; id < end; id++) {
    uint8_t flags = 0;
    if (const auto found = id_to_token(id)) {
      token = bytes = *found;
      if (decoder_) decoder_->token_bytes(bytes);
      decode_table_.bytes.append(bytes);
      flags = DecodeTable::kToken;
      if (added_.is_special(token)) flags |= DecodeTable::kSpecial;
      if (bytes.size() == 1 && fallback_byte(token) >= 0) flags |= DecodeTable::kByte;
    }
    decode_table_.ends.push_back(static_cast<uint32_t>(decode_table_.bytes.size()));
    decode_table_.flags.push_back(flags);
  }
  return decode_table_;
}

std::string Tokenizer::decode(const uint32_t* ids, size_t count, bool skip_special_tokens) {
  const Decoder::Parts parts = decoder_ ? decoder_->parts() : Decoder::Parts::none;
  if (parts == Decoder::Parts::none) return decode_as_one(ids, count, skip_special_tokens);
  const DecodeTable& table = decode_table();
  // What an id adds to the text; nothing if it is left out.
  const auto flags_of = [&](uint32_t id) -> uint8_t {
    const uint8_t flags = id < table.flags.size() ? table.flags[id] : 0;
    return skip_special_tokens && (flags & DecodeTable::kSpecial) ? 0 : flags;
  };
  std::string text;
  size_t i = 0;
  if (parts == Decoder::Parts::behind_first) {
    // The first token that shows, and bytes whole runs at a time: what stands before the others changes nothing of them.
    constexpr size_t kMost = 64;
    std::vector<std::string> first;
    while (i < count && text.empty() && first.size() < kMost) {
      uint8_t last = 0;
      for (; i < count; i++) {
        const uint8_t flags = flags_of(ids[i]);
        if (flags == 0) continue;
        if (last != 0 && !(last & flags & DecodeTable::kByte)) break;
        last = flags;
        first.emplace_back(*id_to_token(ids[i]));
      }
      text = decode(first);
    }
    if (text.empty() && i < count) return decode_as_one(ids, count, skip_special_tokens);
  }
  text.reserve(text.size() + (count - i) * 6);
  size_t run = 0;  // bytes at the end of the text that are fallback bytes
  const auto end_run = [&] {
    const size_t begin = text.size() - run;
    if (!unicode::is_valid(std::string_view(text).substr(begin))) {
      text.resize(begin);
      for (; run > 0; run--) text.append("\xef\xbf\xbd");
    }
    run = 0;
  };
  for (; i < count; i++) {
    const uint32_t id = ids[i];
    const uint8_t flags = flags_of(id);
    if (flags == 0) continue;
    const bool is_byte = flags & DecodeTable::kByte;
    if (run > 0 && !is_byte) end_run();
    const uint32_t begin = id == 0 ? 0 : table.ends[id - 1];
    text.append(table.bytes, begin, table.ends[id] - begin);
    run += is_byte;
  }
  if (run > 0) end_run();
  return parts == Decoder::Parts::behind_first || unicode::is_valid(text) ? text : unicode::lossy(text);
}

std::string Tokenizer::decode_as_one(const uint32_t* ids, size_t count, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  tokens.reserve(count);
  for (size_t i = 0; i < count; i++) {
    const auto token = id_to_token(ids[i]);
    if (!token) continue;
    tokens.emplace_back(*token);
    if (skip_special_tokens && added_.is_special(tokens.back())) tokens.pop_back();
  }
  return decode(std::move(tokens));
}

std::string Tokenizer::decode(std::vector<std::string> tokens) const {
  if (decoder_) decoder_->decode(tokens);
  std::string text;
  for (size_t i = 0; i < tokens.size(); i++) {
    if (i > 0 && !decoder_) text.push_back(' ');
    text.append(tokens[i]);
  }
  return text;
}

std::optional<Tokenizer::TokenTexts> Tokenizer::token_texts(const std::vector<std::string>& before, std::string_view prefix) {
  const std::string start = decode(before);
  const size_t found = start.find(prefix);
  if (found == start.npos) return std::nullopt;
  const Decoder::Parts parts = decoder_ ? decoder_->parts() : Decoder::Parts::none;
  const bool has_parts = parts != Decoder::Parts::none && found + prefix.size() == start.size();
  const DecodeTable& decoded = decode_table();
  // Tokens by id, as get_vocab() has them.
  std::vector<std::optional<std::string_view>> names(decoded.ends.size());
  for (uint32_t id = 0; id < vocabulary().end_id(); id++) {
    if (vocabulary().has(id) && vocabulary().find(vocabulary().token(id)) == static_cast<int32_t>(id)) names[id] = vocabulary().token(id);
  }
  for (const auto& [token, id] : vocabulary().aliases()) names[id] = token;
  for (const auto& [content, id] : added_.ids()) names[id] = content;

  TokenTexts result;
  std::vector<std::string> tokens;
  for (uint32_t id = 0; id < names.size(); id++) {
    std::string& out = result.table.bytes;
    if (has_parts && names[id] && id_to_token(id) == names[id]) {
      const uint32_t begin = id == 0 ? 0 : decoded.ends[id - 1];
      const auto bytes = std::string_view(decoded.bytes).substr(begin, decoded.ends[id] - begin);
      out += unicode::is_valid(bytes) ? std::string(bytes) : unicode::lossy(bytes);
    } else if (names[id]) {
      tokens.assign(before.begin(), before.end());
      tokens.emplace_back(*names[id]);
      const std::string text = decode(tokens);
      const size_t at = text.find(prefix);
      if (at == text.npos) return std::nullopt;
      out.append(text, at + prefix.size());
    }
    result.is_known.push_back(names[id].has_value());
    result.table.ends.push_back(static_cast<uint32_t>(out.size()));
  }
  return result;
}

Tokenizer::TokenTable Tokenizer::token_table(const std::vector<uint32_t>& verbatim) {
  const DecodeTable& table = decode_table();
  std::vector<bool> is_verbatim(table.ends.size(), false);
  for (const uint32_t id : verbatim)
    if (id < is_verbatim.size()) is_verbatim[id] = true;
  TokenTable result;
  result.bytes.reserve(table.bytes.size());
  result.ends.reserve(table.ends.size());
  uint32_t begin = 0;
  for (uint32_t id = 0; id < table.ends.size(); id++) {
    if (is_verbatim[id]) result.bytes.append(id_to_token(id).value_or(std::string_view()));
    else result.bytes.append(table.bytes, begin, table.ends[id] - begin);
    begin = table.ends[id];
    result.ends.push_back(static_cast<uint32_t>(result.bytes.size()));
  }
  return result;
}

}  // namespace gt::tokenizer
