// Encoders and decoders of the graph engine against Python.
import { test_forward_passes } from "./forward_cases.js";

test_forward_passes("graph");
