import type { Padding, Pair } from "../arithmetic/padding.ts";
import type { Block, UnnamedBlock } from "../block/names.ts";
import type { Add, Divide, IsKnown, Multiply, Subtract } from "./arithmetic.ts";

/** The shape of one example in types; `number` where a length is not known. */
export type Shape = readonly (number | null)[];

declare const change: unique symbol;

/** A block that says in its type how it changes the shape of an example. At run time it is a block like any other. */
export interface ShapedBlock<Change> extends UnnamedBlock {
  /** For the compiler alone: missing when the program runs. */
  readonly [change]?: Change;
}

/** A shape that cannot be: the type of the message stands where a block was expected. */
export interface ShapeError<Message extends string> {
  readonly shapeError: Message;
}

export interface Windowed<
  Name extends string,
  Channels,
  Kernel extends number | Pair,
  Stride extends number | Pair,
  Dilation extends number | Pair,
  Pads extends Padding,
> {
  readonly window: [Name, Channels, Kernel, Stride, Dilation, Pads];
}
/** Channels of the output: as many as those of the input, times this. */
export interface Times<N extends number> {
  readonly times: N;
}
export interface Units<N extends number> {
  readonly units: N;
}
export interface Flattened {
  readonly flattened: true;
}
export interface Pooled<Keep extends boolean> {
  readonly pooled: Keep;
}
export interface Reshaped<To extends readonly number[]> {
  readonly reshaped: To;
}
export interface Unchanged {
  readonly unchanged: true;
}
export interface Chained<Blocks extends readonly Block[]> {
  readonly chained: Blocks;
}
export interface Added<Blocks extends readonly Block[]> {
  readonly added: Blocks;
}
export interface Concatenated<Blocks extends readonly Block[]> {
  readonly concatenated: Blocks;
}

/** How a block changes shapes; `unknown` where its type does not say. */
type ChangeOf<B> = B extends ShapedBlock<infer Change> ? Change : unknown;

/** The shape after a block, or the error that it makes. */
export type ShapeAfter<B, From extends Shape> =
  ChangeOf<B> extends infer Change
    ? unknown extends Change
      ? Shape
      : Change extends Windowed<infer Name, infer Channels, infer Kernel, infer Stride, infer Dilation, infer Pads>
        ? AfterWindow<Name, From, Channels, Kernel, Stride, Dilation, Pads>
        : Change extends Units<infer N>
          ? AfterDense<From, N>
          : Change extends Flattened
            ? [ProductOf<From>]
            : Change extends Reshaped<infer To>
              ? AfterReshape<To>
              : Change extends Pooled<infer Keep>
                ? AfterPooled<From, Keep>
                : Change extends Unchanged
                  ? From
                  : Change extends Chained<infer Blocks>
                    ? AfterAll<Blocks, From>
                    : Change extends Added<infer Blocks>
                      ? AfterSum<Blocks, From>
                      : Change extends Concatenated<infer Blocks>
                        ? AfterConcat<Blocks, From>
                        : Shape
    : never;

type AfterAll<Blocks extends readonly Block[], From extends Shape> = Blocks extends readonly [
  infer First,
  ...infer Rest extends readonly Block[],
]
  ? ShapeAfter<First, From> extends infer Next
    ? Next extends Shape
      ? AfterAll<Rest, Next>
      : Next
    : never
  : Blocks extends readonly []
    ? From
    : Shape;

/** True for a shape of unknown rank. */
type AnyRank<S extends Shape> = number extends S["length"] ? true : false;

type AfterWindow<
  Name extends string,
  From extends Shape,
  Channels,
  Kernel extends number | Pair,
  Stride extends number | Pair,
  Dilation extends number | Pair,
  Pads extends Padding,
> =
  AnyRank<From> extends true
    ? [number, number, Channels extends number ? Channels : number]
    : From extends readonly [
          infer H extends number | null,
          infer W extends number | null,
          infer C extends number | null,
        ]
      ? [
          Side<Known<H>, On<Kernel, 0>, On<Stride, 0>, On<Dilation, 0>, PadsOn<Pads, 0>>,
          Side<Known<W>, On<Kernel, 1>, On<Stride, 1>, On<Dilation, 1>, PadsOn<Pads, 1>>,
        ] extends infer Sides
        ? Sides extends [infer Height extends number, infer Width extends number]
          ? never extends Height | Width
            ? [Height] extends [never]
              ? ShapeError<`${Name}: a ${SizeText<Kernel>} window does not fit into a map of ${ShapeText<From>}`>
              : [Width] extends [never]
                ? ShapeError<`${Name}: a ${SizeText<Kernel>} window does not fit into a map of ${ShapeText<From>}`>
                : [Height, Width, ChannelsAfter<Known<C>, Channels>]
            : never
          : never
        : never
      : ShapeError<`${Name}: expected a map [height, width, channels], got [${ShapeText<From>}]`>;

type ChannelsAfter<C extends number, Channels> = Channels extends number
  ? Channels
  : Channels extends Times<infer N>
    ? Multiply<C, N>
    : C;

type Known<N extends number | null> = N extends number ? N : number;

/** A window's length along one axis. */
type On<P extends number | Pair, Axis extends 0 | 1> = P extends number ? P : P extends Pair ? P[Axis] : number;

/** Rows or columns of padding on both sides of an axis together, or "same". */
type PadsOn<P extends Padding, Axis extends 0 | 1> = P extends "valid"
  ? 0
  : P extends "same"
    ? "same"
    : P extends number
      ? Add<P, P>
      : P extends readonly [unknown, unknown]
        ? P[Axis] extends infer Each
          ? Each extends number
            ? Add<Each, Each>
            : Each extends readonly [infer Before extends number, infer After extends number]
              ? Add<Before, After>
              : number
          : number
        : number;

type Extent<K extends number, D extends number> = D extends 1 ? K : Add<Multiply<Subtract<K, 1>, D>, 1>;

/** The output's length along one axis; `never` where the window does not fit. */
type Side<H extends number, K extends number, S extends number, D extends number, P> = [P] extends ["same"]
  ? Divide<Add<H, Subtract<S, 1>>, S>
  : [P] extends [number]
    ? [IsKnown<H>, IsKnown<K>, IsKnown<S>, IsKnown<D>, IsKnown<P>] extends [true, true, true, true, true]
      ? Subtract<Add<H, P>, Extent<K, D>> extends infer Room
        ? [Room] extends [never]
          ? never
          : Room extends number
            ? Add<Divide<Room, S>, 1>
            : never
        : never
      : number
    : number;

/** The length -1 stands for the rest, which is not worked out. */
type AfterReshape<To extends readonly number[]> = { [At in keyof To]: To[At] extends -1 ? number : To[At] };

type AfterDense<From extends Shape, N extends number> =
  AnyRank<From> extends true
    ? [N]
    : From extends readonly [unknown]
      ? [N]
      : From extends readonly [infer A, unknown]
        ? [A, N]
        : ShapeError<`dense: expected a list of numbers, got a map of ${ShapeText<From>}; put flatten() or globalAvgPool() before it, or use conv(units, 1, …) for each pixel`>;

type AfterPooled<From extends Shape, Keep extends boolean> =
  AnyRank<From> extends true
    ? Keep extends true
      ? [1, 1, number]
      : [number]
    : From extends readonly [unknown, unknown, infer C]
      ? Keep extends true
        ? [1, 1, C]
        : [C]
      : ShapeError<`globalAvgPool: expected a map [height, width, channels], got [${ShapeText<From>}]`>;

/** The product of all lengths. */
type ProductOf<S extends Shape, Done extends number = 1> = number extends S["length"]
  ? number
  : S extends readonly [infer First extends number | null, ...infer Rest extends Shape]
    ? ProductOf<Rest, Done extends 1 ? Known<First> : Multiply<Done, Known<First>>>
    : Done;

type AfterSum<
  Blocks extends readonly Block[],
  From extends Shape,
  Before extends Shape = Shape,
> = Blocks extends readonly [infer First, ...infer Rest extends readonly Block[]]
  ? ShapeAfter<First, From> extends infer Next
    ? Next extends Shape
      ? Differ<Before, Next> extends true
        ? ShapeError<`add: expected branches of equal shapes, got ${ShapeText<Before>} and ${ShapeText<Next>}`>
        : AfterSum<Rest, From, AnyRank<Before> extends true ? Next : Before>
      : Next
    : never
  : Before;

type AfterConcat<
  Blocks extends readonly Block[],
  From extends Shape,
  Before extends Shape | undefined = undefined,
> = Blocks extends readonly [infer First, ...infer Rest extends readonly Block[]]
  ? ShapeAfter<First, From> extends infer Next
    ? Next extends Shape
      ? Before extends Shape
        ? Joined<Before, Next> extends infer Both
          ? Both extends Shape
            ? AfterConcat<Rest, From, Both>
            : Both
          : never
        : AfterConcat<Rest, From, Next>
      : Next
    : never
  : Before extends Shape
    ? Before
    : Shape;

/** Two shapes side by side: the last lengths add up, the others must be equal. */
type Joined<A extends Shape, B extends Shape> = [AnyRank<A>, AnyRank<B>] extends [false, false]
  ? A extends readonly [...infer HeadA extends Shape, infer LastA extends number | null]
    ? B extends readonly [...infer HeadB extends Shape, infer LastB extends number | null]
      ? Differ<HeadA, HeadB> extends true
        ? ShapeError<`concat: expected branches of equal height and width, got ${ShapeText<A>} and ${ShapeText<B>}`>
        : [...HeadA, Add<Known<LastA>, Known<LastB>>]
      : Shape
    : Shape
  : Shape;

/** True where two shapes are known to be different. */
type Differ<A extends Shape, B extends Shape> = [AnyRank<A>, AnyRank<B>] extends [false, false]
  ? A["length"] extends B["length"]
    ? A extends readonly [infer FirstA extends number | null, ...infer RestA extends Shape]
      ? B extends readonly [infer FirstB extends number | null, ...infer RestB extends Shape]
        ? [IsKnown<FirstA>, IsKnown<FirstB>] extends [true, true]
          ? FirstA extends FirstB
            ? Differ<RestA, RestB>
            : true
          : Differ<RestA, RestB>
        : false
      : false
    : true
  : false;

type LengthText<N> = N extends number ? `${N}` : "any";
type ShapeText<S extends Shape> = S extends readonly [infer Only]
  ? LengthText<Only>
  : S extends readonly [infer First, ...infer Rest extends Shape]
    ? `${LengthText<First>}x${ShapeText<Rest>}`
    : "any";
type SizeText<P extends number | Pair> = `${On<P, 0>}x${On<P, 1>}`;
