#include "tokenizer/vocabulary.h"

#include <algorithm>

#include "unicode/utf8.h"

namespace gt::tokenizer {

Vocabulary::Vocabulary(const json::Node& node) {
  if (!node.value().is(json::Type::object)) node.fail("an object of tokens and ids");
  struct Entry {
    uint32_t begin, length, id;
  };
  std::vector<Entry> entries;
  std::string arena, scratch;
  uint32_t end = 0;
  bool in_order = true;  // of ids without gaps
  for (json::Value::Iterator i = node.value().begin(), stop = node.value().end(); i != stop; ++i) {
    const std::string_view token = (*i).string(scratch);
    ++i;
    const std::optional<int64_t> id = (*i).integer();
    if (!id || *id < 0 || *id >= kIdMask) {
      node.error("the id of \"" + std::string(token) + "\" is not an integer from 0 to " + std::to_string(kIdMask - 1));
    }
    in_order = in_order && static_cast<size_t>(*id) == entries.size();
    entries.push_back({static_cast<uint32_t>(arena.size()), static_cast<uint32_t>(token.size()), static_cast<uint32_t>(*id)});
    arena.append(token);
    end = std::max(end, static_cast<uint32_t>(*id) + 1);
  }
  offsets_.reserve(end + 1);
  if (in_order) {
    for (const Entry& entry : entries) offsets_.push_back(entry.begin);
    bytes_ = arena;
    set_all_present(end);
  } else {
    std::vector<const Entry*> by_id(end);
    for (const Entry& entry : entries) {
      const Entry*& place = by_id[entry.id];
      const auto text = [&](const Entry& e) { return arena.substr(e.begin, e.length); };
      if (place && text(*place) != text(entry)) aliases_[text(*place)] = entry.id;
      place = &entry;
    }
    bytes_.reserve(arena.size());
    present_.resize((end + 63) / 64);
    for (uint32_t id = 0; id < end; id++) {
      offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
      if (!by_id[id]) continue;
      bytes_.append(arena, by_id[id]->begin, by_id[id]->length);
      present_[id / 64] |= 1ull << id % 64;
    }
  }
  offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
  index();
  size_ += aliases_.size();
  if (size_ != entries.size()) {
    for (const Entry& entry : entries) {
      const std::string token = arena.substr(entry.begin, entry.length);
      if (find(token) != static_cast<int32_t>(entry.id)) node.error("\"" + token + "\" comes twice");
    }
  }
}

Vocabulary::Vocabulary(std::string bytes, std::vector<uint32_t> offsets) : bytes_(std::move(bytes)), offsets_(std::move(offsets)) {
  set_all_present(end_id());
  index();
}

void Vocabulary::set_all_present(size_t count) { present_.assign((count + 63) / 64, ~0ull); }

void Vocabulary::index() {
  uint32_t capacity = 8;
  while (capacity < end_id() * 2) capacity *= 2;
  slots_.assign(capacity, kEmpty);
  mask_ = capacity - 1;
  constexpr uint32_t kAhead = 32;
  uint64_t hashes[kAhead];
  for (uint32_t first = 0; first < end_id(); first += kAhead) {
    const uint32_t last = std::min(first + kAhead, static_cast<uint32_t>(end_id()));
    for (uint32_t id = first; id < last; id++) {
      const uint64_t hash = hashes[id - first] = hash_bytes(token(id).data(), token(id).size());
      prefetch(&slots_[place_of(hash)]);
    }
    for (uint32_t id = first; id < last; id++) {
      if (has(id)) insert(id, hashes[id - first]);
    }
  }
}

void Vocabulary::find(const std::string_view* tokens, size_t count, int32_t* ids) const {
  uint64_t hashes[kMostTokens];
  if (slots_.empty()) {
    std::fill(ids, ids + count, -1);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    hashes[i] = hash_bytes(tokens[i].data(), tokens[i].size());
    prefetch(&slots_[place_of(hashes[i])]);
  }
  // The first slots tell the most likely ids, whose tokens are wanted next.
  const auto likely = [&](size_t i) { return std::min<size_t>(slots_[place_of(hashes[i])] & kIdMask, end_id()); };
  for (size_t i = 0; i < count; i++) prefetch(&offsets_[likely(i)]);
  for (size_t i = 0; i < count; i++) prefetch(bytes_.data() + offsets_[likely(i)]);
  for (size_t i = 0; i < count; i++) ids[i] = find(tokens[i], hashes[i]);
}

// Of equal tokens the last one is found.
void Vocabulary::insert(uint32_t id, uint64_t hash) {
  const std::string_view text = token(id);
  const uint32_t mark = static_cast<uint32_t>(hash >> 56) << 24;
  uint32_t i = place_of(hash);
  bool doubled = false;
  while (slots_[i] != kEmpty && !doubled) {
    doubled = (slots_[i] & kMarkMask) == mark && token(slots_[i] & kIdMask) == text;
    if (!doubled) i = (i + 1) & mask_;
  }
  size_ += !doubled;
  slots_[i] = mark | id;
}

int32_t Vocabulary::find_alias(std::string_view token) const {
  const auto found = aliases_.find(std::string(token));
  return found == aliases_.end() ? -1 : static_cast<int32_t>(found->second);
}

Vocabulary::Vocabulary(TableReader& tables) : bytes_(tables.bytes()), offsets_(tables.array<uint32_t>()) {
  tables.check(!offsets_.empty() && offsets_.front() == 0 && offsets_.back() == bytes_.size() && end_id() <= kIdMask);
  tables.check(std::is_sorted(offsets_.begin(), offsets_.end()) && unicode::is_valid(bytes_));
  present_ = tables.array<uint64_t>();
  tables.check(present_.size() == (end_id() + 63) / 64);
  slots_ = tables.array<uint32_t>();
  tables.check(slots_.size() >= 8 && (slots_.size() & (slots_.size() - 1)) == 0);
  mask_ = static_cast<uint32_t>(slots_.size() - 1);
  bool has_room = false;  // a search ends at an empty slot
  uint32_t last = 0;
  for (const uint32_t slot : slots_) {
    has_room |= slot == kEmpty;
    last = std::max(last, slot == kEmpty ? 0 : (slot & kIdMask) + 1);
  }
  size_ = tables.number();
  tables.check(has_room && last <= end_id() && size_ <= end_id());
  for (uint64_t count = tables.number(); count > 0; count--) {
    const std::string token(tables.bytes());
    const uint64_t id = tables.number();
    tables.check(id < end_id() && unicode::is_valid(token));
    aliases_[token] = static_cast<uint32_t>(id);
  }
  size_ += aliases_.size();
}

void Vocabulary::write(TableWriter& tables) const {
  tables.bytes(bytes_);
  tables.array(offsets_);
  tables.array(present_);
  tables.array(slots_);
  tables.number(size_ - aliases_.size());
  tables.number(aliases_.size());
  for (const auto& [token, id] : aliases_) {
    tables.bytes(token);
    tables.number(id);
  }
}

void Vocabulary::write(json::Writer& writer) const {
  writer.begin_object();
  for (uint32_t id = 0; id < end_id() && writer.with_vocabulary(); id++) {
    if (has(id)) writer.key(token(id)).integer(id);
  }
  writer.end_object();
}

}  // namespace gt::tokenizer
