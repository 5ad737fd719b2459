// Encoder-decoders against Python.
import { test_forward_passes } from "./forward_cases.js";

test_forward_passes("seq2seq");
