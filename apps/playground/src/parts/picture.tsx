import type { Pixels } from "@convkit/inspect";
import { useEffect, useRef } from "preact/hooks";

/** Pixels as a picture of the page. */
export function Picture({ pixels, label }: { readonly pixels: Pixels; readonly label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, data } = pixels;
  useEffect(() => {
    canvas.current!.getContext("2d")!.putImageData(new ImageData(data, width, height), 0, 0);
  }, [data, width, height]);
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} />;
}
