// The options of trainers as JavaScript gives them.
#pragma once

#include <napi.h>

#include "tokenizer/trainer.h"
#include "tokenizer/unigram_trainer.h"

namespace gt::bindings {

tokenizer::TrainerOptions trainer_options(const Napi::Value& value);
tokenizer::UnigramOptions unigram_options(const Napi::Value& value);

}  // namespace gt::bindings
