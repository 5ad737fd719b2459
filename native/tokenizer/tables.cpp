#include "tokenizer/tables.h"

#include "errors.h"

namespace gt::tokenizer {

namespace {

// "GTTOK", and the version of the form: to be raised with every change of a table, or of what builds one.
constexpr uint64_t kMagic = 0x00024b4f54544700ull;
constexpr size_t kHeader = 16;  // with the checksum
constexpr size_t kAlignment = 8;

size_t padded(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

// Four sums side by side, because each waits for its multiplication. `bytes` is a multiple of kAlignment.
uint64_t checksum(std::string_view bytes) {
  constexpr uint64_t kFactor = 0x9E3779B97F4A7C15ull;
  uint64_t sums[4] = {1, 2, 3, 4};
  const char* p = bytes.data();
  for (size_t i = 0; i < bytes.size() / 8; i++, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    uint64_t& sum = sums[i % 4];
    sum = (sum ^ word) * kFactor;
    sum ^= sum >> 29;
  }
  for (size_t i = 1; i < 4; i++) sums[0] = (sums[0] ^ sums[i]) * kFactor;
  return sums[0] ^ sums[0] >> 32;
}

uint64_t number_at(std::string_view bytes, size_t at) {
  uint64_t value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

bool is_compiled(std::string_view content) { return content.size() >= 8 && content.substr(1, 5) == "GTTOK"; }

TableWriter::TableWriter(std::string_view json) {
  number(kMagic);
  number(0);  // the checksum's place
  bytes(json);
}

void TableWriter::append(const void* data, size_t size) {
  if (size > 0) out_.append(static_cast<const char*>(data), size);
  out_.resize(padded(out_.size()));
}

std::string TableWriter::take() {
  const uint64_t sum = checksum(std::string_view(out_).substr(kHeader));
  std::memcpy(out_.data() + 8, &sum, sizeof sum);
  return std::move(out_);
}

TableReader::TableReader(std::string_view content) {
  check(content.size() >= kHeader && content.size() % kAlignment == 0 && number_at(content, 0) == kMagic);
  rest_ = content.substr(kHeader);
  check(checksum(rest_) == number_at(content, 8));
  json_ = bytes();
}

uint64_t TableReader::number() { return number_at(take(sizeof(uint64_t)), 0); }

std::string_view TableReader::take(uint64_t size) {
  check(size <= rest_.size() && padded(size) <= rest_.size());
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(padded(size));
  return taken;
}

void TableReader::check(bool holds) {
  if (!holds) throw Error("tokenizer_invalid", "The compiled tokenizer is broken, or of another version");
}

}  // namespace gt::tokenizer
