#include "generation/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "errors.h"

namespace gt::generation {

namespace {

// What the calls of an assistant ask for: the numbers that its model draws by. They end with the host's answers.
class AssistantHooks final : public HostHooks {
 public:
  AssistantHooks(std::shared_ptr<HostHooks> host, std::shared_ptr<Uniforms> uniforms)
      : host_(std::move(host)), uniforms_(std::move(uniforms)) {
    has_uniforms = uniforms_ != nullptr;
  }

  void process_logits(size_t, const std::vector<Ids>&, float*, int32_t) override {}
  std::vector<uint8_t> should_stop(const std::vector<Ids>&, const float*, int32_t) override { return {}; }
  std::vector<int32_t> allowed_tokens(int32_t, const Ids&) override { return {}; }
  void get_candidates(const Ids&, int32_t, std::vector<double>, Answer) override {}
  std::vector<double> uniforms(size_t count) override { return uniforms_->next(count); }
  void interrupt() override {
    if (host_) host_->interrupt();
  }

 private:
  std::shared_ptr<HostHooks> host_;
  std::shared_ptr<Uniforms> uniforms_;
};

bool ends_with(const Ids& ids, size_t end, const Ids& all, size_t count) {
  return std::equal(all.end() - static_cast<std::ptrdiff_t>(count), all.end(), ids.begin() + static_cast<std::ptrdiff_t>(end - count));
}

}  // namespace

// -- prompt lookup

// Reference: PromptLookupCandidateGenerator.get_candidates.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/candidate_generator.py
Ids PromptLookupCandidateGenerator::find(const Ids& ids) {
  if (static_cast<size_t>(options_.max_length) <= ids.size() + 1) return {};
  const auto most = static_cast<size_t>(options_.prompt_lookup_num_tokens);
  for (size_t n = std::min(static_cast<size_t>(options_.max_matching_ngram_size), ids.size() - 1); n > 0; n--) {
    for (size_t start = n; start < ids.size(); start++) {
      if (!ends_with(ids, start, ids, n)) continue;
      const auto first = ids.begin() + static_cast<std::ptrdiff_t>(start);
      Ids found = allowed(ids, Ids(first, first + static_cast<std::ptrdiff_t>(std::min(most, ids.size() - start))));
      if (found.empty()) continue;
      const auto is_eos = [&](int32_t token) { return std::count(options_.eos_token_id.begin(), options_.eos_token_id.end(), token) > 0; };
      found.erase(std::find_if(found.begin(), found.end(), is_eos), found.end());
      return found;
    }
  }
  return {};
}

// The candidates before the first one that the processors forbid.
Ids PromptLookupCandidateGenerator::allowed(const Ids& ids, Ids candidates) {
  if (processors_.empty()) return candidates;
  Ids so_far = ids;
  for (size_t i = 0; i < candidates.size(); i++) {
    scores_.assign(static_cast<size_t>(vocab_size_), 1.0f);
    std::vector<ScoresRow> rows(1);
    rows[0].ids = &so_far;
    rows[0].scores = scores_.data();
    rows[0].vocab_size = vocab_size_;
    processors_.process(rows);
    const float score = rows[0].has(candidates[i]) ? scores_[static_cast<size_t>(candidates[i])] : 0;
    if (score == -std::numeric_limits<float>::infinity() || score == std::numeric_limits<float>::lowest()) {
      candidates.resize(i);
      return candidates;
    }
    so_far.push_back(candidates[i]);
  }
  return candidates;
}

// -- assistants of other tokenizers

HostCandidateGenerator::HostCandidateGenerator(const Request& request, std::shared_ptr<Uniforms> uniforms, int32_t vocab_size)
    : request_(request),
      uniforms_(std::move(uniforms)),
      vocab_size_(vocab_size),
      strategy_(request.assistant->state, request.assistant->heuristic),
      inbox_(std::make_shared<Inbox<Candidates>>(request.wake)) {
  if (!request.hooks || !request.hooks->has_candidates) throw TypeError("Expected the engine of the assistant, or a hook that asks it");
}

void HostCandidateGenerator::ask(const Ids& ids) {
  const auto room = request_.options.max_length - static_cast<int32_t>(ids.size()) - 1;
  asked_ = room > 0;
  if (!asked_) return;
  const auto count = static_cast<int32_t>(strategy_.state().num_assistant_tokens);
  std::vector<double> uniforms;
  if (uniforms_) uniforms = uniforms_->peek(static_cast<size_t>(std::min(count, room)));
  request_.hooks->get_candidates(ids, count, std::move(uniforms), [inbox = inbox_](Candidates candidates, std::exception_ptr failure) {
    if (failure) inbox->fail(failure);
    else inbox->put(std::move(candidates));
  });
}

std::optional<Candidates> HostCandidateGenerator::get_candidates() {
  proposed_ = 0;
  if (!asked_) return Candidates{};
  std::optional<Candidates> candidates = inbox_->take();
  if (!candidates) return std::nullopt;
  proposed_ = candidates->tokens.size();
  if (uniforms_) uniforms_->next(proposed_);
  for (const auto& scores : candidates->scores)
    if (scores.size() != static_cast<size_t>(vocab_size_)) throw TypeError("Expected scores of " + std::to_string(vocab_size_) + " tokens for each candidate");
  return candidates;
}

// -- assistants

AssistedCandidateGenerator::AssistedCandidateGenerator(const Request& request, const LogitsProcessorList& processors,
                                                       std::shared_ptr<Uniforms> uniforms)
    : request_(request),
      processors_(processors),
      hooks_(std::make_shared<AssistantHooks>(request.hooks, request.options.do_sample ? std::move(uniforms) : nullptr)),
      strategy_(request.assistant->state, request.assistant->heuristic),
      inbox_(std::make_shared<Inbox<Result>>(request.wake)) {
  cache_ = request.assistant->cache;
  if (!request.attention_mask.empty())
    padding_ = static_cast<size_t>(std::count(request.attention_mask[0].begin(), request.attention_mask[0].end(), 0));
}

AssistedCandidateGenerator::~AssistedCandidateGenerator() {
  const auto& engine = request_.assistant->engine;
  inbox_->close();
  try {
    if (const std::optional<Result> result = inbox_->take()) cache_ = result->cache;
  } catch (...) {
  }
  if (call_) engine->cancel(call_);
  if (cache_) engine->release(cache_);
}

// Reference: AssistedCandidateGenerator.get_candidates. As there, the assistant's processors are its own and those of the
// call that it assists, which take the place of its own of the same class.
void AssistedCandidateGenerator::ask(const Ids& ids) {
  asked_ = true;
  const Assistant& assistant = *request_.assistant;
  const auto length = static_cast<int32_t>(ids.size());
  const int32_t count = std::min({static_cast<int32_t>(strategy_.state().num_assistant_tokens), request_.options.max_length - length - 1,
                                  assistant.max_positions - length + static_cast<int32_t>(padding_)});
  asked_at_ = ids.size();
  proposed_ = 0;
  if (count <= 0) return;

  Request request;
  request.input_ids = {ids};
  if (!request_.attention_mask.empty()) {
    request.attention_mask = request_.attention_mask;
    request.attention_mask[0].resize(ids.size(), 1);
  }
  request.options = assistant.options;
  request.options.max_length = length + count;
  request.options.min_length = 0;
  request.options.min_new_tokens = std::max(std::min(count, request_.options.min_length - length), 0);
  request.options.do_sample = request_.options.do_sample;
  request.options.user_processors = processors_.list();
  request.options.output_scores = request_.options.do_sample;
  request.options.output_logits = false;
  if (assistant.adapts_now) request.options.assistant_confidence_threshold = strategy_.state().confidence_threshold;
  request.hooks = hooks_;
  request.keep_cache = true;
  request.at_once = true;
  if (cache_) {
    request.cache = cache_;
    const auto common = std::mismatch(cached_.begin(), cached_.end(), ids.begin(), ids.end()).first - cached_.begin();
    request.cache_length = std::max(std::min(static_cast<int32_t>(common), length - 1) - static_cast<int32_t>(padding_), 0);
  }
  // The engine may go before the answer is read, never before the call: whoever waits keeps it.
  request.on_done = [inbox = inbox_, engine = std::weak_ptr<RequestTarget>(assistant.engine)](Result result) {
    const std::shared_ptr<Cache> cache = result.cache;
    if (inbox->put(std::move(result))) return;
    if (const auto alive = engine.lock()) alive->release(cache);
  };
  request.on_error = [inbox = inbox_](std::exception_ptr failure) { inbox->fail(failure); };
  call_ = assistant.engine->submit(std::move(request));
}

std::optional<Candidates> AssistedCandidateGenerator::get_candidates() {
  if (!call_) return Candidates{};
  std::optional<Result> answer;
  try {
    answer = inbox_->take();
  } catch (const Error& error) {
    call_ = 0;
    if (error.code == "disposed") throw Error("disposed", "the assistant_model was disposed of");
    if (error.code != "no_space") throw;
    return Candidates{};  // it goes on without
  }
  if (!answer) return std::nullopt;
  call_ = 0;
  Result& result = *answer;
  cache_ = result.cache;
  cached_ = result.sequences[0];
  strategy_.add(result.confidences);
  Candidates candidates{Ids(cached_.begin() + static_cast<std::ptrdiff_t>(asked_at_), cached_.end()), std::move(result.scores)};
  proposed_ = candidates.tokens.size();
  return candidates;
}

std::unique_ptr<CandidateGenerator> make_candidate_generator(const Request& request, const LogitsProcessorList& processors,
                                                             std::shared_ptr<Uniforms> uniforms, int32_t vocab_size) {
  if (request.options.prompt_lookup_num_tokens > 0)
    return std::make_unique<PromptLookupCandidateGenerator>(request.options, processors, vocab_size);
  if (!request.assistant->engine)
    return std::make_unique<HostCandidateGenerator>(request, request.options.do_sample ? std::move(uniforms) : nullptr, vocab_size);
  return std::make_unique<AssistedCandidateGenerator>(request, processors, std::move(uniforms));
}

}  // namespace gt::generation
