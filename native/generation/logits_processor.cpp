#include "generation/logits_processor.h"

#include <algorithm>
#include <cstring>

#include "generation/constraints.h"
#include "generation/grammar_processor.h"
#include "generation/math.h"
#include "generation/penalties.h"
#include "generation/warpers.h"
#include "generation/watermark.h"

namespace gt::generation {

// Reference: GenerationMixin._get_logits_processor in generation/utils.py.
LogitsProcessorList::LogitsProcessorList(const GenerationOptions& o, const std::vector<Ids>& prompts, int32_t vocab_size,
                                         std::shared_ptr<HostHooks> hooks) {
  const auto add = [this](auto processor) { processors_.push_back(std::move(processor)); };
  std::vector<Ids> encoder_ids = prompts;
  for (size_t row = 0; row < prompts.size() && !o.encoder_input_ids.empty(); row++)
    encoder_ids[row] = o.encoder_input_ids[row * o.encoder_input_ids.size() / prompts.size()];
  const auto prompt_length = static_cast<int32_t>(prompts[0].size());
  const bool has_eos = !o.eos_token_id.empty();

  if (!o.sequence_bias.empty()) add(std::make_shared<SequenceBiasLogitsProcessor>(o.sequence_bias, vocab_size));
  if (o.encoder_repetition_penalty != 1) {
    // As in Python, which does not repeat these ids for beams: the first rows get them, the others none.
    std::vector<Ids> first_ids = o.encoder_input_ids;
    const auto copies = static_cast<size_t>(std::max(o.num_beams, o.num_return_sequences));
    for (size_t row = 0; o.encoder_input_ids.empty() && row < prompts.size(); row += copies) first_ids.push_back(prompts[row]);
    first_ids.resize(prompts.size());
    add(std::make_shared<EncoderRepetitionPenaltyLogitsProcessor>(o.encoder_repetition_penalty, std::move(first_ids)));
  }
  if (o.repetition_penalty != 1)
    add(std::make_shared<RepetitionPenaltyLogitsProcessor>(o.repetition_penalty, o.prompt_ignore_length));
  if (o.no_repeat_ngram_size > 0) add(std::make_shared<NoRepeatNGramLogitsProcessor>(o.no_repeat_ngram_size));
  if (o.encoder_no_repeat_ngram_size > 0)
    add(std::make_shared<EncoderNoRepeatNGramLogitsProcessor>(o.encoder_no_repeat_ngram_size, encoder_ids));
  if (!o.bad_words_ids.empty())
    add(std::make_shared<SequenceBiasLogitsProcessor>(o.bad_words_ids, o.eos_token_id, vocab_size));
  if (o.min_length > 0 && has_eos) add(std::make_shared<MinLengthLogitsProcessor>(o.min_length, o.eos_token_id));
  if (o.min_new_tokens > 0 && has_eos)
    add(std::make_shared<MinNewTokensLengthLogitsProcessor>(prompt_length, o.min_new_tokens, o.eos_token_id));
  if (hooks && hooks->has_prefix_allowed_tokens)
    add(std::make_shared<PrefixConstrainedLogitsProcessor>(hooks, o.num_beams));
  if (o.forced_bos_token_id) add(std::make_shared<ForcedBOSTokenLogitsProcessor>(*o.forced_bos_token_id));
  if (!o.forced_eos_token_id.empty())
    add(std::make_shared<ForcedEOSTokenLogitsProcessor>(o.max_length, o.forced_eos_token_id));
  if (o.remove_invalid_values) add(std::make_shared<InfNanRemoveLogitsProcessor>());
  if (o.exponential_decay_length_penalty)
    add(std::make_shared<ExponentialDecayLengthPenalty>(o.exponential_decay_length_penalty->first,
                                                        o.exponential_decay_length_penalty->second, o.eos_token_id,
                                                        prompt_length));
  if (!o.suppress_tokens.empty()) add(std::make_shared<SuppressTokensLogitsProcessor>(o.suppress_tokens));
  if (!o.begin_suppress_tokens.empty()) {
    const bool after_bos = prompt_length <= 1 && o.forced_bos_token_id;
    add(std::make_shared<SuppressTokensAtBeginLogitsProcessor>(o.begin_suppress_tokens, prompt_length + after_bos));
  }
  // Python's _merge_criteria_processor_list: the first of the caller's of a type replaces the one made above.
  const size_t made = processors_.size();
  size_t groups = 0;
  for (const auto& user : o.user_processors) {
    if (!user) {
      if (hooks) add(std::make_shared<HostLogitsProcessor>(hooks, groups++));
      continue;
    }
    const auto end = processors_.begin() + static_cast<std::ptrdiff_t>(made);
    const auto same = std::find_if(processors_.begin(), end, [&](const auto& processor) {
      const bool is_callers = std::count(o.user_processors.begin(), o.user_processors.end(), processor) > 0;
      return *user->name() && !is_callers && std::strcmp(processor->name(), user->name()) == 0;
    });
    if (same == end) processors_.push_back(user);
    else *same = user;
  }
  if (hooks && hooks->has_logits_processor && groups == 0) add(std::make_shared<HostLogitsProcessor>(hooks, 0));
  if (o.grammar) add(std::make_shared<GrammarLogitsProcessor>(o, prompt_length));
  if (o.do_sample) add_warpers(o);
  if (o.watermarking_config) add(std::make_shared<WatermarkLogitsProcessor>(*o.watermarking_config, vocab_size));
  if (o.renormalize_logits) add(std::make_shared<LogitNormalization>());
}

void LogitsProcessorList::add_warpers(const GenerationOptions& o) {
  const auto add = [this](auto processor) { processors_.push_back(std::move(processor)); };
  const int32_t keep = o.num_beams == 1 ? 1 : o.eos_token_id.empty() ? 2 : static_cast<int32_t>(o.eos_token_id.size()) + 1;
  if (o.temperature != 1) add(std::make_shared<TemperatureLogitsWarper>(o.temperature));
  if (o.top_k != 0) add(std::make_shared<TopKLogitsWarper>(o.top_k, keep));
  if (o.top_p < 1) add(std::make_shared<TopPLogitsWarper>(o.top_p, keep));
  if (o.min_p) add(std::make_shared<MinPLogitsWarper>(*o.min_p, keep));
  if (o.typical_p < 1) add(std::make_shared<TypicalLogitsWarper>(o.typical_p, keep));
  if (o.epsilon_cutoff > 0 && o.epsilon_cutoff < 1) add(std::make_shared<EpsilonLogitsWarper>(o.epsilon_cutoff, keep));
  if (o.eta_cutoff > 0 && o.eta_cutoff < 1) add(std::make_shared<EtaLogitsWarper>(o.eta_cutoff, keep));
}

void guide(float* scores, const float* unconditional, int32_t vocab_size, float guidance_scale) {
  std::vector<float> other(static_cast<size_t>(vocab_size));
  log_softmax(unconditional, vocab_size, other.data());
  log_softmax(scores, vocab_size, scores);
  for (int32_t i = 0; i < vocab_size; i++) {
    const float o = other[static_cast<size_t>(i)];
    scores[i] = guidance_scale * (scores[i] - o) + o;
  }
}

}  // namespace gt::generation
