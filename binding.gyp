# node-gyp's door to the CMake build, so that prebuildify works: the work is in scripts/build.mjs.
{
  "targets": [{
    "target_name": "ggml_transformers",
    "type": "none",
    "actions": [{
      "action_name": "cmake",
      "inputs": ["CMakeLists.txt"],
      "outputs": ["<(PRODUCT_DIR)/ggml_transformers.node"],
      "action": ["node", "scripts/build.mjs", "native", "--release", "--arch", "<(target_arch)", "--out", "<(PRODUCT_DIR)"]
    }]
  }]
}
