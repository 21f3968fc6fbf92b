import type { ByteSource } from "../../../bytes/byte-source.ts";
import { ByteCursor } from "../../../bytes/byte-cursor.ts";
import { WeightsError } from "../../../weights-error.ts";

/** One field of a protobuf message: its number and the place of its bytes. */
export interface Field {
  readonly number: number;
  readonly start: number;
  readonly size: number;
  /** The value of a varint field. */
  readonly value?: number;
}

/**
 * The fields of a message, without their bytes: tensors stay in the file. Throws for a field that ends after its
 * message.
 */
export function* fieldsOf(source: ByteSource, start: number, size: number): Generator<Field> {
  const cursor = new ByteCursor(source, start);
  const end = start + size;
  const refuse = (problem: string): never => {
    throw new WeightsError(source.file, `byte ${cursor.position}`, problem);
  };
  const varint = (): number => {
    let value = 0;
    for (let byte = 0; byte < 10; byte++) {
      const bits = cursor.u8();
      value += (bits & 0x7f) * 2 ** (7 * byte);
      if (bits < 0x80) return value;
    }
    return refuse("expected a number of at most 10 bytes");
  };
  while (cursor.position < end) {
    const key = varint();
    const number = Math.floor(key / 8);
    const kind = key % 8;
    let field: Field;
    if (kind === 0) field = { number, start: cursor.position, size: 0, value: varint() };
    else if (kind === 2) {
      const length = varint();
      field = { number, start: cursor.position, size: length };
    } else if (kind === 1 || kind === 5) field = { number, start: cursor.position, size: kind === 1 ? 8 : 4 };
    else return refuse(`expected a field of a protobuf message, got one of kind ${kind}: this is no ONNX file`);
    if (number === 0 || field.start + field.size > end)
      return refuse(`field ${number} of ${field.size} bytes ends after its message`);
    if (kind !== 0) cursor.position = field.start + field.size;
    yield field;
  }
  if (cursor.position > end) refuse("a field ends after its message");
}
