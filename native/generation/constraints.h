// Processors that forbid or force tokens, by length or by the host's word.
#pragma once

#include "generation/logits_processor.h"

namespace gt::generation {

class MinLengthLogitsProcessor final : public LogitsProcessor {
 public:
  MinLengthLogitsProcessor(int32_t min_length, std::vector<int32_t> eos_token_id)
      : min_length_(min_length), eos_token_id_(std::move(eos_token_id)) {}
  const char* name() const override { return "MinLengthLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  int32_t min_length_;
  std::vector<int32_t> eos_token_id_;
};

class MinNewTokensLengthLogitsProcessor final : public LogitsProcessor {
 public:
  MinNewTokensLengthLogitsProcessor(int32_t prompt_length_to_skip, int32_t min_new_tokens, std::vector<int32_t> eos_token_id)
      : min_length_(prompt_length_to_skip + min_new_tokens), eos_token_id_(std::move(eos_token_id)) {}
  const char* name() const override { return "MinNewTokensLengthLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  int32_t min_length_;
  std::vector<int32_t> eos_token_id_;
};

class PrefixConstrainedLogitsProcessor final : public LogitsProcessor {
 public:
  PrefixConstrainedLogitsProcessor(std::shared_ptr<HostHooks> hooks, int32_t num_beams)
      : hooks_(std::move(hooks)), num_beams_(num_beams) {}
  const char* name() const override { return "PrefixConstrainedLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  std::shared_ptr<HostHooks> hooks_;
  int32_t num_beams_;
};

class ForcedBOSTokenLogitsProcessor final : public LogitsProcessor {
 public:
  explicit ForcedBOSTokenLogitsProcessor(int32_t bos_token_id) : bos_token_id_(bos_token_id) {}
  const char* name() const override { return "ForcedBOSTokenLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  int32_t bos_token_id_;
};

class ForcedEOSTokenLogitsProcessor final : public LogitsProcessor {
 public:
  ForcedEOSTokenLogitsProcessor(int32_t max_length, std::vector<int32_t> eos_token_id)
      : max_length_(max_length), eos_token_id_(std::move(eos_token_id)) {}
  const char* name() const override { return "ForcedEOSTokenLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  int32_t max_length_;
  std::vector<int32_t> eos_token_id_;
};

class InfNanRemoveLogitsProcessor final : public LogitsProcessor {
 public:
  const char* name() const override { return "InfNanRemoveLogitsProcessor"; }
  void process(ScoresRow& row) override;
};

class SuppressTokensLogitsProcessor final : public LogitsProcessor {
 public:
  explicit SuppressTokensLogitsProcessor(std::vector<int32_t> suppress_tokens) : tokens_(std::move(suppress_tokens)) {}
  const char* name() const override { return "SuppressTokensLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  std::vector<int32_t> tokens_;
};

class SuppressTokensAtBeginLogitsProcessor final : public LogitsProcessor {
 public:
  SuppressTokensAtBeginLogitsProcessor(std::vector<int32_t> begin_suppress_tokens, int32_t begin_index)
      : tokens_(std::move(begin_suppress_tokens)), begin_index_(begin_index) {}
  const char* name() const override { return "SuppressTokensAtBeginLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  std::vector<int32_t> tokens_;
  int32_t begin_index_;
};

// Processors that the user wrote, one group of them.
class HostLogitsProcessor final : public LogitsProcessor {
 public:
  HostLogitsProcessor(std::shared_ptr<HostHooks> hooks, size_t group) : hooks_(std::move(hooks)), group_(group) {}
  const char* name() const override { return ""; }  // each has a class of its own
  void process(ScoresRow&) override {}
  // The scores of `rows` lie one after another.
  void process_all(std::vector<ScoresRow>& rows) override;

 private:
  std::shared_ptr<HostHooks> hooks_;
  size_t group_;
};

}  // namespace gt::generation
