export { type CheckpointOptions, load_state_dict } from "./load.js";
export { type SaveOptions, save_state_dict } from "./save.js";
export { type CheckpointTensor, read_f32, read_tensor } from "./tensors.js";
