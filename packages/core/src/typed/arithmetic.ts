// Arithmetic of whole numbers in types, digit by digit. A number that is not known is `number`, and so is every result with it.

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
/** Digits, the last one of the number first. */
type Digits = readonly Digit[];

/** A tuple of as many elements as the digit says. */
interface Tuples {
  0: [];
  1: [0];
  2: [0, 0];
  3: [0, 0, 0];
  4: [0, 0, 0, 0];
  5: [0, 0, 0, 0, 0];
  6: [0, 0, 0, 0, 0, 0];
  7: [0, 0, 0, 0, 0, 0, 0];
  8: [0, 0, 0, 0, 0, 0, 0, 0];
  9: [0, 0, 0, 0, 0, 0, 0, 0, 0];
}
type Ten = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

type ToDigits<Text extends string, Done extends Digits = []> = Text extends `${infer First extends Digit}${infer Rest}`
  ? ToDigits<Rest, [First, ...Done]>
  : Done;
type DigitsOf<N extends number> = ToDigits<`${N}`>;

type ToText<D extends Digits, Text extends string = ""> = D extends readonly [
  infer First extends Digit,
  ...infer Rest extends Digits,
]
  ? ToText<Rest, `${First}${Text}`>
  : Text;
type WithoutZeros<Text extends string> = Text extends `0${infer Rest}`
  ? Rest extends ""
    ? "0"
    : WithoutZeros<Rest>
  : Text;
type ToNumber<D extends Digits> = WithoutZeros<ToText<D>> extends `${infer N extends number}` ? N : number;

/** The ones and the tens of a number below 100. */
type Ones<N extends number> = `${N}` extends `${Digit}${infer One extends Digit}` ? One : N extends Digit ? N : never;
type Tens<N extends number> = `${N}` extends `${infer Ten extends Digit}${Digit}` ? Ten : 0;

/** True for a literal number that is whole and not negative. */
export type IsKnown<N> = N extends number
  ? number extends N
    ? false
    : `${N}` extends `${string}${"." | "-" | "e"}${string}`
      ? false
      : true
  : false;

type SumOf<A extends Digit, B extends Digit, C extends Digit> = [...Tuples[A], ...Tuples[B], ...Tuples[C]]["length"] &
  number;

type AddDigits<
  A extends Digits,
  B extends Digits,
  Carry extends Digit = 0,
  Done extends Digits = [],
> = A extends readonly [infer FirstA extends Digit, ...infer RestA extends Digits]
  ? B extends readonly [infer FirstB extends Digit, ...infer RestB extends Digits]
    ? AddDigits<RestA, RestB, Tens<SumOf<FirstA, FirstB, Carry>>, [...Done, Ones<SumOf<FirstA, FirstB, Carry>>]>
    : Carry extends 0
      ? [...Done, ...A]
      : AddDigits<RestA, [], Tens<SumOf<FirstA, 0, Carry>>, [...Done, Ones<SumOf<FirstA, 0, Carry>>]>
  : B extends readonly [Digit, ...Digit[]]
    ? AddDigits<B, [], Carry, Done>
    : Carry extends 0
      ? Done
      : [...Done, Carry];

/** `A + B`. */
export type Add<A extends number, B extends number> = [IsKnown<A>, IsKnown<B>] extends [true, true]
  ? ToNumber<AddDigits<DigitsOf<A>, DigitsOf<B>>>
  : number;

/** A digit less another one and a borrowed one: the result, and whether ten was borrowed for it. */
type Less<A extends Digit, B extends Digit, Borrow extends 0 | 1> = Tuples[A] extends [
  ...Tuples[B],
  ...Tuples[Borrow],
  ...infer Rest,
]
  ? [Rest["length"], 0]
  : [...Tuples[A], ...Ten] extends [...Tuples[B], ...Tuples[Borrow], ...infer Rest]
    ? [Rest["length"], 1]
    : never;

type SubtractDigits<
  A extends Digits,
  B extends Digits,
  Borrow extends 0 | 1 = 0,
  Done extends Digits = [],
> = A extends readonly [infer FirstA extends Digit, ...infer RestA extends Digits]
  ? B extends readonly [infer FirstB extends Digit, ...infer RestB extends Digits]
    ? Less<FirstA, FirstB, Borrow> extends [infer D extends Digit, infer Next extends 0 | 1]
      ? SubtractDigits<RestA, RestB, Next, [...Done, D]>
      : never
    : Less<FirstA, 0, Borrow> extends [infer D extends Digit, infer Next extends 0 | 1]
      ? SubtractDigits<RestA, [], Next, [...Done, D]>
      : never
  : B extends readonly []
    ? Borrow extends 0
      ? Done
      : never
    : never;

/** `A - B`; `never` where that is below 0. */
export type Subtract<A extends number, B extends number> = [IsKnown<A>, IsKnown<B>] extends [true, true]
  ? SubtractDigits<DigitsOf<A>, DigitsOf<B>> extends infer D
    ? [D] extends [never]
      ? never
      : D extends Digits
        ? ToNumber<D>
        : never
    : never
  : number;

/** A tuple a digit of times. */
type Repeat<T extends readonly 0[], N extends Digit, Done extends readonly 0[] = []> = N extends 0
  ? Done
  : Tuples[N] extends [0, ...infer Rest]
    ? Rest["length"] extends infer M extends Digit
      ? Repeat<T, M, [...Done, ...T]>
      : never
    : never;

type ProductOf<A extends Digit, B extends Digit, Carry extends Digit> = [
  ...Repeat<Tuples[A], B>,
  ...Tuples[Carry],
]["length"] &
  number;

type TimesDigit<
  A extends Digits,
  B extends Digit,
  Carry extends Digit = 0,
  Done extends Digits = [],
> = A extends readonly [infer First extends Digit, ...infer Rest extends Digits]
  ? TimesDigit<Rest, B, Tens<ProductOf<First, B, Carry>>, [...Done, Ones<ProductOf<First, B, Carry>>]>
  : Carry extends 0
    ? Done
    : [...Done, Carry];

type MultiplyDigits<
  A extends Digits,
  B extends Digits,
  Shift extends Digits = [],
  Done extends Digits = [],
> = B extends readonly [infer First extends Digit, ...infer Rest extends Digits]
  ? MultiplyDigits<A, Rest, [...Shift, 0], AddDigits<Done, [...Shift, ...TimesDigit<A, First>]>>
  : Done;

/** `A * B`. */
export type Multiply<A extends number, B extends number> = [IsKnown<A>, IsKnown<B>] extends [true, true]
  ? ToNumber<MultiplyDigits<DigitsOf<A>, DigitsOf<B>>>
  : number;

/** How often a tuple fits into another one, and what is left. */
type Fit<T extends readonly 0[], By extends readonly 0[], Count extends readonly 0[] = []> = T extends readonly [
  ...By,
  ...infer Rest extends readonly 0[],
]
  ? Fit<Rest, By, [...Count, 0]>
  : [Count["length"], T];

type DivideText<
  Text extends string,
  By extends Digit,
  Left extends readonly 0[] = [],
  Done extends string = "",
> = Text extends `${infer First extends Digit}${infer Rest}`
  ? Fit<[...Repeat<Left, 9>, ...Left, ...Tuples[First]], Tuples[By]> extends [
      infer Quotient extends number,
      infer Next extends readonly 0[],
    ]
    ? DivideText<Rest, By, Next, `${Done}${Quotient}`>
    : never
  : Done;

/** `A / B`, rounded down, for a `B` from 1 to 9; `number` for others. */
export type Divide<A extends number, B extends number> = B extends 1
  ? A
  : IsKnown<A> extends true
    ? B extends Exclude<Digit, 0>
      ? WithoutZeros<DivideText<`${A}`, B>> extends `${infer N extends number}`
        ? N
        : number
      : number
    : number;
