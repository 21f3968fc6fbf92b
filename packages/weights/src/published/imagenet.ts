import { checkOptions } from "@convkit/errors";

/**
 * The known hash of a published file: the sha256 if at least two independent sources agree on it, else the md5 that
 * Keras states, or the first digits of the sha256 from torchvision's file names. Some files have none.
 */
export type KnownHash =
  | { readonly sha256: string }
  | { readonly md5: string }
  | { readonly sha256Begins: string }
  | undefined;

/** Publicly available weights that were trained on ImageNet. */
export interface PublishedWeights {
  /** The zoo's network for these weights. */
  readonly model: string;
  /** True with the classifier of 1000 classes; false up to the last feature map. */
  readonly top: boolean;
  readonly url: string;
  readonly hash: KnownHash;
  readonly license: string;
  /** Preprocessing of the pixels: one of Keras' modes, or "none" if the network scales pixels itself. */
  readonly preprocessing: "caffe" | "tf" | "torch" | "none";
  /** Factors per channel that Keras applies to tensors when it loads this file, by `layer/weight`. */
  readonly factors?: Readonly<Record<string, readonly number[]>>;
}

const keras = "https://storage.googleapis.com/tensorflow/keras-applications/";
const torch = "https://download.pytorch.org/models/";
const ordering = "weights_tf_dim_ordering_tf_kernels";

/**
 * Files of keras.applications, from its sources (Keras 3.15): model, folder and name of the files, mode, license, md5
 * with and without top.
 */
const kerasTable = [
  [
    "vgg16",
    "vgg16/vgg16",
    "caffe",
    "CC-BY-4.0",
    "64373286793e3c8b2b4e3219cbf3544b",
    "6d6bbae143d832006294945121d1f1fc",
  ],
  [
    "vgg19",
    "vgg19/vgg19",
    "caffe",
    "CC-BY-4.0",
    "cbe5617147190e668d6c5d5026f83318",
    "253f8cb515780f3b799900260a226db6",
  ],
  [
    "resnet50",
    "resnet/resnet50",
    "caffe",
    "MIT",
    "2cb95161c43110f7111970584f804107",
    "4d473c1dd8becc155b73f8504c6f6626",
  ],
  [
    "resnet101",
    "resnet/resnet101",
    "caffe",
    "MIT",
    "f1aeb4b969a6efcfb50fad2f0c20cfc5",
    "88cf7a10940856eca736dc7b7e228a21",
  ],
  [
    "resnet152",
    "resnet/resnet152",
    "caffe",
    "MIT",
    "100835be76be38e30d865e96f2aaae62",
    "ee4c566cf9a93f14d82f913c2dc6dd0c",
  ],
  [
    "resnet50v2",
    "resnet/resnet50v2",
    "tf",
    "Apache-2.0",
    "3ef43a0b657b3be2300d5770ece849e0",
    "fac2f116257151a9d068a22e544a4917",
  ],
  [
    "resnet101v2",
    "resnet/resnet101v2",
    "tf",
    "Apache-2.0",
    "6343647c601c52e1368623803854d971",
    "c0ed64b8031c3730f411d2eb4eea35b5",
  ],
  [
    "resnet152v2",
    "resnet/resnet152v2",
    "tf",
    "Apache-2.0",
    "a49b44d1979771252814e80f8ec446f9",
    "ed17cf2e0169df9d443503ef94b23b33",
  ],
  [
    "inception-v3",
    "inception_v3/inception_v3",
    "tf",
    "Apache-2.0",
    "9a0d58056eeedaa3f26cb7ebd46da564",
    "bcbd6486424b2319ff4ef7d526e38f63",
  ],
  [
    "inception-resnet-v2",
    "inception_resnet_v2/inception_resnet_v2",
    "tf",
    "Apache-2.0",
    "e693bd0210a403b3192acc6073ad2e96",
    "d19885ff4a710c122648d3b5c3b684e4",
  ],
  [
    "xception",
    "xception/xception",
    "tf",
    "MIT",
    "0a58e3b7378bc2990ea3b43d5981f1f6",
    "b0042744bf5b25fce3cb969f33bebb97",
  ],
  [
    "densenet121",
    "densenet/densenet121",
    "torch",
    "BSD-3-Clause",
    "9d60b8095a5708f2dcce2bca79d332c7",
    "30ee3e1110167f948a6b9946edeeb738",
  ],
  [
    "densenet169",
    "densenet/densenet169",
    "torch",
    "BSD-3-Clause",
    "d699b8f76981ab1b30698df4c175e90b",
    "b8c4d4c20dd625c148057b9ff1c1176b",
  ],
  [
    "densenet201",
    "densenet/densenet201",
    "torch",
    "BSD-3-Clause",
    "1ceb130c1ea1b78c3bf6114dbdfd8807",
    "c13680b51ded0fb44dff2d8f86ac8bb1",
  ],
] as const;

/**
 * EfficientNet was trained on (x - mean) / deviation, but its files store the deviation as the variance. For the
 * weights "imagenet", Keras therefore divides again by the square root of IMAGENET_STDDEV_RGB.
 * https://github.com/tensorflow/tensorflow/issues/49930
 */
const efficientnetFactors = { "normalization/variance": [0.229, 0.224, 0.225] };

/**
 * Files of keras.applications whose names follow another pattern. Keras states no hashes for MobileNet's files; two
 * other sources state the md5 of one of them.
 */
const kerasOthers: readonly PublishedWeights[] = [
  other("mobilenet", true, `${keras}mobilenet/mobilenet_1_0_224_tf.h5`, undefined, "tf"),
  other("mobilenet", false, `${keras}mobilenet/mobilenet_1_0_224_tf_no_top.h5`, undefined, "tf"),
  other(
    "mobilenet-v2",
    true,
    `${keras}mobilenet_v2/mobilenet_v2_${ordering}_1.0_224.h5`,
    { md5: "321911b381f6fd09b744356f6796ee18" },
    "tf",
  ),
  other("mobilenet-v2", false, `${keras}mobilenet_v2/mobilenet_v2_${ordering}_1.0_224_no_top.h5`, undefined, "tf"),
  ...(["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"] as const).flatMap((size) => {
    const [top, notop] = {
      b0: ["902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"],
      b1: ["1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"],
      b2: ["b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"],
      b3: ["ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"],
      b4: ["18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"],
      b5: ["ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"],
      b6: ["165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"],
      b7: ["8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"],
    }[size] as [string, string];
    const base = `https://storage.googleapis.com/keras-applications/efficientnet${size}`;
    return [
      { ...other(`efficientnet-${size}`, true, `${base}.h5`, { md5: top }, "none"), factors: efficientnetFactors },
      {
        ...other(`efficientnet-${size}`, false, `${base}_notop.h5`, { md5: notop }, "none"),
        factors: efficientnetFactors,
      },
    ];
  }),
];

/**
 * Files of torchvision (0.29, IMAGENET1K_V1): model, file (its name ends in the first digits of its sha256), sha256 if
 * known.
 */
const torchTable = [
  ["alexnet", "alexnet-owt-7be5be79", "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"],
  ["vgg11", "vgg11-8a719046", undefined],
  ["vgg13", "vgg13-19584684", undefined],
  ["vgg11-bn", "vgg11_bn-6002323d", undefined],
  ["vgg13-bn", "vgg13_bn-abd245e5", undefined],
  ["vgg16-bn", "vgg16_bn-6c64b313", "6c64b3138f2f4fcb3bcc4cafde11619c4f440eb1631787e93a682fd88305888a"],
  ["vgg19-bn", "vgg19_bn-c79401a0", "c79401a0cf3cb42714e4182f5868c7a6f4f4534f5df9e956e2bb2098de41cbb6"],
  ["resnet18", "resnet18-f37072fd", "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec"],
  ["resnet34", "resnet34-b627a593", "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f"],
  ["resnet50-tv", "resnet50-0676ba61", "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a"],
  ["resnet101-tv", "resnet101-63fe2227", "63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a"],
  ["resnet152-tv", "resnet152-394f9c45", "394f9c45966e3651a89bbb78a48410a6755854ce4a5ab64927cf1c7247f85e58"],
  ["resnext50-32x4d", "resnext50_32x4d-7cdf4587", undefined],
  ["resnext101-32x8d", "resnext101_32x8d-8ba56ff5", undefined],
  ["resnext101-64x4d", "resnext101_64x4d-173b62eb", undefined],
  ["wide-resnet50-2", "wide_resnet50_2-95faca4d", undefined],
  ["wide-resnet101-2", "wide_resnet101_2-32ee1156", undefined],
  ["googlenet-tv", "googlenet-1378be20", "1378be20a8e875cf1568b8a71654e704449655e34711a959a38b04fb34905cef"],
  [
    "inception-v3-tv",
    "inception_v3_google-0cc3c7bd",
    "0cc3c7bd75056d25e46cba549dc184522069b81e9787eff6df84f397bd52a5ef",
  ],
  ["squeezenet1-0", "squeezenet1_0-b66bff10", undefined],
  ["squeezenet1-1", "squeezenet1_1-b8a52dc0", "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b"],
  ["mobilenet-v2-tv", "mobilenet_v2-b0353104", "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"],
  ["mobilenet-v3-large", "mobilenet_v3_large-8738ca79", undefined],
  ["mobilenet-v3-small", "mobilenet_v3_small-047dcff4", undefined],
  ["convnext-tiny", "convnext_tiny-983f1562", undefined],
  ["mnasnet1-0", "mnasnet1.0_top1_73.512-f206786ef8", undefined],
  ["regnet-x-400mf", "regnet_x_400mf-adf1edd5", undefined],
  ["regnet-y-400mf", "regnet_y_400mf-c65dace8", undefined],
  ["densenet121-tv", "densenet121-a639ec97", "a639ec97d7c33b07ae66f0b5fb7d0192f95a3b11b7576c66c0126c2a727c4395"],
  ["densenet161", "densenet161-8d451a50", undefined],
  ["efficientnet-b0-tv", "efficientnet_b0_rwightman-7f5810bc", undefined],
  ["efficientnet-b1-tv", "efficientnet_b1_rwightman-bac287d4", undefined],
  ["efficientnet-b2-tv", "efficientnet_b2_rwightman-c35c1473", undefined],
  ["efficientnet-b3-tv", "efficientnet_b3_rwightman-b3899882", undefined],
  ["efficientnet-b4-tv", "efficientnet_b4_rwightman-23ab8bcd", undefined],
  ["convnext-small", "convnext_small-0c510722", undefined],
  ["convnext-base", "convnext_base-6075fbad", undefined],
  ["convnext-large", "convnext_large-ea097f82", undefined],
  ["mnasnet0-5", "mnasnet0.5_top1_67.823-3ffadce67e", undefined],
  ["mnasnet0-75", "mnasnet0_75-7090bc5f", undefined],
  ["mnasnet1-3", "mnasnet1_3-a4c69d6f", undefined],
  ["regnet-x-800mf", "regnet_x_800mf-ad17e45c", undefined],
  ["regnet-x-1-6gf", "regnet_x_1_6gf-e3633e7f", undefined],
  ["regnet-x-3-2gf", "regnet_x_3_2gf-f342aeae", undefined],
  ["regnet-x-8gf", "regnet_x_8gf-03ceed89", undefined],
  ["regnet-x-16gf", "regnet_x_16gf-2007eb11", undefined],
  ["regnet-x-32gf", "regnet_x_32gf-9d47f8d0", undefined],
  ["regnet-y-800mf", "regnet_y_800mf-1b27b58c", undefined],
  ["regnet-y-1-6gf", "regnet_y_1_6gf-b11a554e", undefined],
  ["regnet-y-3-2gf", "regnet_y_3_2gf-b5a9779c", undefined],
  ["regnet-y-8gf", "regnet_y_8gf-d0d0e4a8", undefined],
  ["regnet-y-16gf", "regnet_y_16gf-9e6ed7dd", undefined],
  ["regnet-y-32gf", "regnet_y_32gf-4dee3f7a", undefined],
  ["shufflenet-v2-x0-5", "shufflenetv2_x0.5-f707e7126e", undefined],
  ["shufflenet-v2-x1-0", "shufflenetv2_x1-5666bf0f80", undefined],
  ["shufflenet-v2-x1-5", "shufflenetv2_x1_5-3c479a10", undefined],
  ["shufflenet-v2-x2-0", "shufflenetv2_x2_0-8be3c8ee", undefined],
  ["efficientnet-b5-tv", "efficientnet_b5_lukemelas-1a07897c", undefined],
  ["efficientnet-b6-tv", "efficientnet_b6_lukemelas-24a108a5", undefined],
  ["efficientnet-b7-tv", "efficientnet_b7_lukemelas-c5b4e57e", undefined],
  ["efficientnet-v2-s", "efficientnet_v2_s-dd5fe13b", undefined],
  ["efficientnet-v2-m", "efficientnet_v2_m-dc08266a", undefined],
  ["efficientnet-v2-l", "efficientnet_v2_l-59c71312", undefined],
] as const;

/** Networks of torchvision whose input is from -1 to 1. */
const signedModels: ReadonlySet<string> = new Set(["googlenet-tv", "inception-v3-tv", "efficientnet-v2-l"]);

/** All published files for networks of the zoo. */
export const imagenetWeights: readonly PublishedWeights[] = [
  ...kerasTable.flatMap(([model, path, preprocessing, license, top, notop]): PublishedWeights[] => [
    { model, top: true, url: `${keras}${path}_${ordering}.h5`, hash: { md5: top }, license, preprocessing },
    { model, top: false, url: `${keras}${path}_${ordering}_notop.h5`, hash: { md5: notop }, license, preprocessing },
  ]),
  ...kerasOthers,
  ...torchTable.map(([model, file, sha256]): PublishedWeights => {
    const preprocessing = signedModels.has(model) ? "tf" : "torch";
    return {
      model,
      top: true,
      url: `${torch}${file}.pth`,
      hash: sha256 === undefined ? { sha256Begins: file.split("-").at(-1)!.slice(0, 8) } : { sha256 },
      license: "BSD-3-Clause",
      preprocessing,
    };
  }),
];

/** The published weights of a network of the zoo; undefined if there are none. */
export function findImagenetWeights(
  model: string,
  options: {
    /** Weights with the classifier, or up to the last feature map; true by default. */
    readonly top?: boolean | undefined;
  } = {},
): PublishedWeights | undefined {
  checkOptions("findImagenetWeights", options, { top: true });
  const { top = true } = options;
  return imagenetWeights.find((entry) => entry.model === model && entry.top === top);
}

function other(
  model: string,
  top: boolean,
  url: string,
  hash: KnownHash,
  preprocessing: "tf" | "none",
): PublishedWeights {
  return { model, top, url, hash, license: "Apache-2.0", preprocessing };
}
