import type { DoctorReport, EngineCheck } from "./examine.ts";

/** The report for people, as lines of plain text. */
export function formatDoctor(report: DoctorReport): string {
  const { cpu, gpus, memory, cache } = report;
  const precisions = report.precisions.map(
    ({ name, usable, note }) => `${usable ? "" : "no "}${name}${note && ` (${note})`}`,
  );
  return [
    "Engines",
    ...report.engines.map((check) => engineLine(check, report.best)),
    "",
    "Machine",
    row("system", `${report.platform}, Node ${report.node}`),
    row("CPU", `${cpu.model}, ${count(cpu.cores, "core")}`),
    row("features", cpu.features.join(", ") || "none that TensorFlow uses"),
    row("precisions", precisions.join(", ")),
    row("threads", `${report.threads} (--threads changes it)`),
    row("GPU", gpus.join(", ") || "none"),
    row("memory", `${bytes(memory.total)}, ${bytes(memory.free)} free`),
    "",
    "Installed",
    row("cache", `${cache.folder} (${bytes(cache.bytes)}${cache.writable ? "" : ", cannot be written"})`),
    ...cache.engines.map(({ engine, tensorflow, bytes: size }) =>
      row(engine, `TensorFlow ${tensorflow} (${bytes(size)})`),
    ),
    row("openvino", openvinoText(report.openvino)),
    ...(report.libraries ? [row("library", report.libraries.cc)] : []),
    row("pip", report.pip ?? "not found"),
    row("compiler", report.compiler ?? "not found"),
    "",
    ...(report.problems.length === 0 ? ["Nothing to mend."] : ["To mend", ...report.problems.flatMap(problemLines)]),
  ].join("\n");
}

function engineLine({ name, ok, reason, tensorflow, threads, adapter }: EngineCheck, best: string | undefined): string {
  const facts = [
    tensorflow && `TensorFlow ${tensorflow}`,
    adapter === undefined ? threads && count(threads, "thread") : adapterText(adapter),
    name === best && "chosen by auto",
  ];
  return `  ${ok ? "✓" : "✗"} ${name.padEnd(8)} ${ok ? facts.filter(Boolean).join(", ") || "ready" : reason}`;
}

function adapterText({ name, isSoftware, largestTensor }: NonNullable<EngineCheck["adapter"]>): string {
  return `${name}${isSoftware ? ", a program in place of a GPU" : ""}, tensors up to ${bytes(largestTensor)}`;
}

function problemLines({ problem, fix }: { problem: string; fix: string }): string[] {
  return [`  - ${problem}`, `    → ${fix}`];
}

function row(label: string, value: string): string {
  return `  ${label.padEnd(10)} ${value}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function bytes(number: number): string {
  const [size, unit] = number >= 1e9 ? [number / 1e9, "GB"] : [number / 1e6, "MB"];
  return `${size.toFixed(size < 10 ? 1 : 0)} ${unit}`;
}

function openvinoText(openvino: DoctorReport["openvino"]): string {
  if (openvino === undefined) return "not installed (convkit engine install --predict)";
  const text = `OpenVINO ${openvino.version}, for predictions`;
  return openvino.damage === undefined
    ? text
    : `${text}, damaged: ${openvino.damage} (convkit engine install --predict replaces it)`;
}
