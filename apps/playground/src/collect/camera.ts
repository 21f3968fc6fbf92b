/** The longest side of a picture from the camera, in pixels. */
const side = 480;

/** Shows the camera in a video element. Throws with what to do where there is none, or the reader refuses it. */
export async function openCamera(video: HTMLVideoElement): Promise<MediaStream> {
  if (navigator.mediaDevices === undefined)
    throw new Error(
      "This page may not use the camera: browsers allow it over HTTPS and on this machine alone. Choose files instead.",
    );
  const stream = await navigator.mediaDevices
    .getUserMedia({ video: { width: { ideal: 640 }, height: { ideal: 480 } } })
    .catch((error: Error) => {
      throw new Error(reason(error), { cause: error });
    });
  video.srcObject = stream;
  await video.play();
  return stream;
}

function reason({ name, message }: Error): string {
  if (name === "NotAllowedError")
    return "The camera was refused: allow it for this page in the browser's settings, or choose files instead.";
  if (name === "NotFoundError") return "This machine has no camera: choose files instead.";
  if (name === "NotReadableError")
    return "The camera is in use elsewhere: close the other program, or choose files instead.";
  return `The camera did not start: ${message}. Choose files instead.`;
}

export function closeCamera(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** What the camera sees now: its middle square, as a JPEG. */
export async function pictureOf(video: HTMLVideoElement): Promise<File> {
  const { videoWidth: width, videoHeight: height } = video;
  const least = Math.min(width, height);
  if (least === 0) throw new Error("The camera has given no picture yet.");
  const size = Math.min(least, side);
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d")!;
  context.drawImage(video, (width - least) / 2, (height - least) / 2, least, least, 0, 0, size, size);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
  return new File([blob], `camera-${Date.now()}.jpg`, { type: blob.type });
}
