// How other bindings take a state dict from JavaScript.
#pragma once

#include <napi.h>

#include <memory>

#include "checkpoint/state_dict.h"

namespace gt::bindings {

// The tensors as they are now; what JavaScript changes later does not touch them. TypeError unless `value` is a
// StateDict, Error("disposed") if it was disposed.
std::shared_ptr<const checkpoint::StateDict> unwrap_state_dict(const Napi::Value& value);

}  // namespace gt::bindings
