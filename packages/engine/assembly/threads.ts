import { kernel } from "./kernels";

/** How often an idle thread looks for work before it sleeps: some tens of microseconds. */
const SPINS: i32 = 20_000;

/**
 * What the threads share. `ticket` is the job's number (high half) and its next unit (low half) in one word, so that a
 * late thread can never take a unit of a job that is over, and no job waits for a thread that sleeps.
 */
@unmanaged
class Control {
  ticket: i64;
  done: i32;
  /** What sleeping threads wait on. */
  bell: i32;
  kernel: i32;
  args: usize;
  units: i32;
  /** Units taken at a time. */
  grain: i32;
  scratch: usize;
  /** Bytes of scratch of each thread. */
  stride: i32;
}

/** Runs all units of a job on this thread and on whichever others are awake in time. */
export function run(
  control: usize,
  kernel: i32,
  args: usize,
  units: i32,
  grain: i32,
  scratch: usize,
  stride: i32,
): void {
  const t = changetype<Control>(control);
  const job = (atomic.load<i64>(control) >> 32) + 1;
  // No unit can be taken until all fields are written: a thread that is still at the last job's end must not mix them.
  atomic.store<i64>(control, (job << 32) | i32.MAX_VALUE);
  t.kernel = kernel;
  t.args = args;
  t.units = units;
  t.grain = grain;
  t.scratch = scratch;
  t.stride = stride;
  atomic.store<i32>(control + offsetof<Control>("done"), 0);
  atomic.store<i64>(control, job << 32);
  atomic.add<i32>(control + offsetof<Control>("bell"), 1);
  atomic.notify(control + offsetof<Control>("bell"), -1);
  work(control, 0);
  while (atomic.load<i32>(control + offsetof<Control>("done")) < units) {}
}

/** Takes units of the current job until none is left. */
function work(control: usize, thread: i32): void {
  const t = changetype<Control>(control);
  while (true) {
    const ticket = atomic.load<i64>(control);
    const begin = <i32>ticket;
    const units = t.units;
    if (begin >= units) return;
    const end = min(begin + t.grain, units);
    const id = t.kernel;
    const args = t.args;
    const scratch = t.scratch + thread * t.stride;
    if (atomic.cmpxchg<i64>(control, ticket, ticket + (end - begin)) != ticket) continue;
    kernel(id, args, begin, end, scratch);
    atomic.add<i32>(control + offsetof<Control>("done"), end - begin);
  }
}

/** The life of a helping thread. */
export function serve(control: usize, thread: i32): void {
  const bell = control + offsetof<Control>("bell");
  while (true) {
    const heard = atomic.load<i32>(bell);
    work(control, thread);
    let spins = SPINS;
    while (spins > 0 && atomic.load<i32>(bell) == heard) spins--;
    if (spins == 0) atomic.wait<i32>(bell, heard, -1);
  }
}
