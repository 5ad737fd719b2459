// The generated tables of tables.cpp. unicode.h is the interface.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gt::unicode {

// `value` holds from code point `first` to the next run.
struct Run {
  uint32_t first;
  uint32_t value;
};

// Lower case of every `step`-th code point from `first` to `last` is at `distance`.
struct LowerRun {
  uint32_t first, last;
  uint32_t step;
  int32_t distance;
};

// The full decompositions: `canonical` code points at `offset` of the pool, then `compatible` ones (0: the same).
struct Decomposition {
  uint32_t code_point;
  uint16_t offset;
  uint8_t canonical, compatible;
};

// A case folding that differs from the lower case.
struct Fold {
  uint32_t from, to;
};

struct Composition {
  uint32_t first, second, composed;
};

extern const Run property_runs[];
extern const size_t property_runs_count;
extern const Run combining_class_runs[];
extern const size_t combining_class_runs_count;
extern const Run script_runs[];
extern const size_t script_runs_count;
extern const Run grapheme_runs[];
extern const size_t grapheme_runs_count;
extern const char* const script_names[];
extern const size_t script_names_count;
extern const LowerRun lower_runs[];
extern const size_t lower_runs_count;
extern const Fold folds[];
extern const size_t folds_count;
extern const Decomposition decompositions[];
extern const size_t decompositions_count;
extern const char32_t decomposition_pool[];
extern const size_t decomposition_pool_count;
extern const Composition compositions[];
extern const size_t compositions_count;

}  // namespace gt::unicode
