import { useEffect, useRef, useState } from "preact/hooks";
import { attempt, notice } from "../notice.ts";
import { closeCamera, openCamera, pictureOf } from "./camera.ts";

interface CameraViewProps {
  /** Receives a picture; the next one is taken once it is done with it. */
  readonly onPicture: (picture: File) => unknown;
  /** Takes picture after picture, with this pause in milliseconds; by default the reader's button takes one. */
  readonly every?: number;
  readonly onClose: () => void;
}

/** The camera, and buttons that take pictures. Closes where the camera is refused. */
export function CameraView({ onPicture, every, onClose }: CameraViewProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [isRecording, setRecording] = useState(false);
  const receive = useRef(onPicture);
  receive.current = onPicture;

  useEffect(() => {
    let stream: MediaStream | undefined;
    let isOpen = true;
    openCamera(video.current!).then(
      (opened) => {
        stream = opened;
        if (!isOpen) closeCamera(opened);
      },
      (error: Error) => {
        notice.value = error.message;
        onClose();
      },
    );
    return () => {
      isOpen = false;
      if (stream !== undefined) closeCamera(stream);
    };
  }, []);

  const pause = every ?? (isRecording ? 200 : undefined);
  useEffect(() => {
    if (pause === undefined) return undefined;
    let timer: ReturnType<typeof setTimeout>;
    let isOn = true;
    const next = async (): Promise<void> => {
      if (video.current !== null && video.current.videoWidth > 0)
        await attempt(async () => receive.current(await pictureOf(video.current!)));
      if (isOn) timer = setTimeout(next, pause);
    };
    void next();
    return () => {
      isOn = false;
      clearTimeout(timer);
    };
  }, [pause]);

  return (
    <div class="camera">
      <video ref={video} muted playsInline aria-label="What the camera sees" />
      <div class="row">
        {every === undefined && (
          <>
            <button type="button" onClick={() => attempt(async () => onPicture(await pictureOf(video.current!)))}>
              Take a picture
            </button>
            <button type="button" aria-pressed={isRecording} onClick={() => setRecording(!isRecording)}>
              {isRecording ? "Stop recording" : "Record five a second"}
            </button>
          </>
        )}
        <button type="button" onClick={onClose}>
          Close the camera
        </button>
      </div>
    </div>
  );
}
