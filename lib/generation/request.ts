// One request to an engine's loop: its tokens go to the call and the streamer as they come.
import { from_native } from "../errors.js";
import type {
  NativeGenerateEvents,
  NativeGenerateRequest,
  NativeGenerateResult,
  NativeGeneratingEngine,
} from "../native.js";
import { aborted, type Step } from "./call.js";
import type { BaseStreamer } from "./streamers.js";

/** Who hears of the tokens, and who may stop them. */
export interface Listeners {
  /** Rows of a step. */
  rows: number;
  call: { push(step: Step): void };
  streamer?: BaseStreamer | undefined;
  signals: AbortSignal[];
}

/** Runs a request to its end. Rejects with what a signal, a hook or the streamer ended it with. */
export function run_request(
  engine: NativeGeneratingEngine,
  request: NativeGenerateRequest,
  { rows, call, streamer, signals }: Listeners,
): Promise<NativeGenerateResult> {
  return new Promise((resolve, reject) => {
    let handle: { cancel(): void } | undefined;
    let failure: unknown;
    const stop = (reason: unknown) => {
      failure ??= reason;
      handle?.cancel();
    };
    const on_abort = () => stop(aborted(signals.find((one) => one.aborted)?.reason));
    const settle = (finish: () => void) => {
      for (const signal of signals) signal.removeEventListener("abort", on_abort);
      finish();
    };
    const fail = (error: unknown) => {
      const reason = failure ?? from_native(error);
      (streamer as { fail?: (error: unknown) => void } | undefined)?.fail?.(reason);
      settle(() => reject(reason));
    };
    for (const signal of signals) signal.addEventListener("abort", on_abort, { once: true });
    if (signals.some((signal) => signal.aborted)) return fail(aborted(signals.find((one) => one.aborted)?.reason));

    const events: NativeGenerateEvents = {
      on_tokens: (tokens, _, steps) => {
        let at = 0;
        for (const count of steps) {
          const columns: Step[] = []; // assisted decoding makes several tokens in a step
          for (const end = at + count; at < end; at += rows) columns.push(Array.from(tokens.subarray(at, at + rows)));
          for (const column of columns) call.push(column);
          try {
            streamer?.put(columns[0].map((_, row) => columns.map((column) => column[row])));
          } catch (error) {
            stop(error);
          }
        }
      },
      on_done: (result) => settle(() => (failure ? reject(failure) : resolve(result))),
      on_error: fail,
    };
    try {
      handle = engine.generate(request, events);
    } catch (error) {
      fail(error);
    }
  });
}
