// One generate() call under way: what its rows want to be fed, and what becomes of their logits.
#pragma once

#include <memory>
#include <vector>

#include "generation/assisted.h"
#include "generation/decoder.h"
#include "generation/logits_processor.h"
#include "generation/request.h"
#include "generation/search.h"

namespace gt::generation {

class Generation {
 public:
  // Checks the request: throws TypeError or RangeError naming what is wrong. `request` and `decoder` must outlive this.
  Generation(Request& request, Decoder& decoder);

  // Takes its rows; false: there is no room now. Throws RangeError if there can never be.
  bool start();
  // Assisted: looks for what may come next. False: neither that nor a prompt is there to go on with.
  bool look_ahead();
  // Appends what is to be fed next, at most `budget` tokens of prompts; a token for each row at work always.
  // Returns the number of tokens.
  int32_t add_inputs(std::vector<RowInput>& batch, int32_t budget);
  // After the decode of a batch in which its inputs start at `first`.
  void advance(size_t first);
  bool done() const { return search_->done(); }
  void add_decode_time(double seconds) { result_.decode_time += seconds; }

  // Ends it: what it made, and its rows given back.
  Result finish();
  // Ends it early: its rows are closed, a cache that it started from is as it was.
  void abandon();

 private:
  // A row of the decoder, and what it has yet to be fed.
  struct Lane {
    Row row = -1;
    Ids pending;
    size_t tail = 1;     // of pending, what gets logits: the last token and the candidates after it
    size_t fed = 0;      // of pending, already in the cache
    size_t chunk = 0;    // of pending, in the batch under way
    size_t input = 0;    // its place in that batch
  };

  void check() const;
  void prepare_prompts(size_t wanted);
  void prepare(size_t prompt, const Ids& tokens, size_t lane);
  const float* logits(size_t lane, size_t place) const;
  void spread();
  void record(const std::vector<int32_t>& sources);
  void score(size_t place);
  void close(Lane& lane);

  Request& request_;
  Decoder& decoder_;
  const int32_t vocab_size_;
  size_t copies_;   // rows for each prompt
  size_t rows_;     // sequences
  bool given_;      // the first logits came with the request
  bool guided_;     // lanes from rows_ on: the same rows without the prompt
  bool plain_;      // logits need no change: they are not even copied
  int32_t longest_ = 0;

  std::vector<Ids> ids_;    // of each sequence, with padding
  std::vector<Lane> lanes_;
  std::vector<int32_t> cached_lengths_;  // of the rows of request.cache
  bool started_ = false;
  bool spread_ = false;     // the prompts' rows were copied to all
  bool complete_ = false;   // the batch under way feeds all that is pending

  std::unique_ptr<LogitsProcessorList> processors_;
  std::unique_ptr<Search> search_;
  AssistedSearch* assisted_ = nullptr;  // search_, if it is one
  bool ahead_ = true;                   // no candidates are awaited
  std::vector<float> scores_;
  std::vector<ScoresRow> score_rows_;
  Result result_;
};

}  // namespace gt::generation
