"""The measured networks as a Keras user writes them; a layer's name is the one it has in convkit."""

import tensorflow as tf
from keras import Input, Model, applications, layers


def conv(filters, kernel, name, strides=1, padding="valid", activation=None, use_bias=True):
    return layers.Conv2D(
        filters, kernel, strides=strides, padding=padding, activation=activation, use_bias=use_bias, name=name
    )


def lenet5(shape, classes):
    x = inputs = Input(shape)
    x = layers.MaxPooling2D(2)(conv(6, 5, "conv1", padding="same", activation="relu")(x))
    x = layers.MaxPooling2D(2)(conv(16, 5, "conv2", activation="relu")(x))
    x = layers.Dense(120, activation="relu", name="fc1")(layers.Flatten()(x))
    x = layers.Dense(84, activation="relu", name="fc2")(x)
    return Model(inputs, layers.Dense(classes, activation="softmax", name="fc3")(x))


def simple_cnn(shape, classes):
    x = inputs = Input(shape)
    x = layers.Flatten()(layers.MaxPooling2D(2)(conv(32, 5, "conv1")(x)))
    return Model(inputs, layers.Dense(classes, activation="softmax", name="predictions")(x))


def inception_cifar10(shape, classes):
    x = inputs = Input(shape)
    b1 = conv(16, 1, "a", 2, activation="relu")(x)
    b2 = conv(16, 3, "b.conv", 2, "same", "relu")(conv(16, 1, "b.reduce", activation="relu")(x))
    b3 = conv(16, 5, "c.conv", 2, "same", "relu")(conv(16, 1, "c.reduce", activation="relu")(x))
    b4 = conv(16, 1, "d.conv", activation="relu")(layers.MaxPooling2D(3, 2, "same")(x))
    x = layers.Flatten()(layers.Concatenate()([b1, b2, b3, b4]))
    x = layers.Dense(512, activation="relu", name="fc1")(x)
    return Model(inputs, layers.Dense(classes, activation="softmax", name="predictions")(x))


def residual_same(shape, classes):
    x = inputs = Input(shape)
    for index in (1, 2, 3):
        x = conv(3, 3, f"residual.body.conv{index}", padding="same", activation="relu")(x)
    x = layers.Flatten()(layers.Add()([x, inputs]))
    x = layers.Dense(128, activation="relu", name="fc1")(x)
    return Model(inputs, layers.Dense(classes, activation="softmax", name="predictions")(x))


def residual_different(shape, classes):
    x = inputs = Input(shape)
    x = conv(3, 3, "conv1", padding="same", activation="relu")(x)
    x = conv(6, 3, "conv2", padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(layers.Add()([x, conv(6, 1, "residual.body")(x)]))
    x = layers.Dense(128, activation="relu", name="fc1")(x)
    return Model(inputs, layers.Dense(classes, activation="softmax", name="predictions")(x))


def resnet50_small(shape, classes):
    """The notebook's: every padding valid except the 3x3's, biases everywhere, stride on the first 1x1."""

    def unit(x, name, filters, out, stride, project):
        y = conv(filters, 1, f"res{name}_branch2a", stride)(x)
        y = layers.ReLU()(layers.BatchNormalization(name=f"bn{name}_branch2a")(y))
        y = conv(filters, 3, f"res{name}_branch2b", padding="same")(y)
        y = layers.ReLU()(layers.BatchNormalization(name=f"bn{name}_branch2b")(y))
        y = layers.BatchNormalization(name=f"bn{name}_branch2c")(conv(out, 1, f"res{name}_branch2c")(y))
        if project:
            x = layers.BatchNormalization(name=f"bn{name}_branch1")(conv(out, 1, f"res{name}_branch1", stride)(x))
        return layers.ReLU()(layers.Add()([y, x]))

    x = inputs = Input(shape)
    x = layers.ReLU()(layers.BatchNormalization(name="bn_conv1")(conv(64, 7, "conv1", 2)(x)))
    x = layers.MaxPooling2D(3, 2)(x)
    for stage, (filters, units) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], 2):
        for index in range(units):
            stride = 2 if index == 0 and stage > 2 else 1
            x = unit(x, f"{stage}{'abcdef'[index]}", filters, 4 * filters, stride, index == 0)
    x = layers.Flatten()(layers.AveragePooling2D(1)(x))
    return Model(inputs, layers.Dense(classes, activation="softmax", name=f"fc{classes}")(x))


def residual_stack(shape, classes):
    x = inputs = Input(shape)
    x = layers.Rescaling(1 / 255)(x)
    for index, (filters, pool) in enumerate([(32, True), (64, True), (128, False)], 1):
        name = f"block{index}"
        y = conv(filters, 3, f"{name}.main.conv1", padding="same", activation="relu")(x)
        y = conv(filters, 3, f"{name}.main.conv2", padding="same", activation="relu")(y)
        if pool:
            y = layers.MaxPooling2D(2, padding="same")(y)
        x = layers.Add()([y, conv(filters, 1, f"{name}.shortcut", 2 if pool else 1)(x)])
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(classes, activation="sigmoid", name="predictions")(x))


def mini_xception(shape, classes):
    """Without augmentation and dropout, which draw random numbers: losses must be comparable."""
    x = inputs = Input(shape)
    x = conv(32, 5, "conv", use_bias=False)(layers.Rescaling(1 / 255)(x))
    for index, size in enumerate((32, 64, 128, 256, 512), 1):
        name = f"block{index}"
        y = x
        for part in (1, 2):
            y = layers.ReLU()(layers.BatchNormalization(name=f"{name}.main.bn{part}")(y))
            y = layers.SeparableConv2D(size, 3, padding="same", use_bias=False, name=f"{name}.main.sep{part}")(y)
        y = layers.MaxPooling2D(3, 2, "same")(y)
        x = layers.Add()([y, conv(size, 1, f"{name}.shortcut", 2, "same", use_bias=False)(x)])
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(classes, activation="sigmoid", name="predictions")(x))


def vgg16_inception(shape, classes):
    def conv_bn(x, filters, kernel, name):
        x = conv(filters, kernel, f"{name}_conv", padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(scale=False, name=f"{name}_bn")(x))

    def mixed(x, name, widths, factorised):
        (b1, (r2, b2), (r3, b3), b4) = widths

        def spatial(y, filters, size, branch):
            if not factorised:
                return conv_bn(y, filters, size, f"{branch}.conv")
            y = conv_bn(y, filters, (1, size), f"{branch}.row")
            return conv_bn(y, filters, (size, 1), f"{branch}.column")

        pooled = layers.MaxPooling2D(3, 1, "same")(x)
        return layers.Concatenate()([
            conv_bn(x, b1, 1, f"{name}.b1"),
            spatial(conv_bn(x, r2, 1, f"{name}.b2.reduce"), b2, 3, f"{name}.b2"),
            spatial(conv_bn(x, r3, 1, f"{name}.b3.reduce"), b3, 5, f"{name}.b3"),
            conv_bn(pooled, b4, 1, f"{name}.b4.project"),
        ])

    x = inputs = Input(shape)
    for block, filters in ((1, 64), (2, 128)):
        x = conv_bn(conv_bn(x, filters, 3, f"block{block}_conv1"), filters, 3, f"block{block}_conv2")
        x = layers.MaxPooling2D(2)(x)
    for index in (1, 2, 3):
        x = mixed(x, f"block3_i{index}", (64, (96, 128), (16, 32), 32), False)
    x = layers.MaxPooling2D(2)(x)
    for index in (1, 2, 3):
        x = conv_bn(x, 512, 3, f"block4_conv{index}")
    x = layers.MaxPooling2D(2)(x)
    for index in (1, 2, 3):
        x = mixed(x, f"block5_i{index}", (128, (192, 256), (32, 64), 64), True)
    x = layers.Flatten()(layers.MaxPooling2D(2)(x))
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    return Model(inputs, layers.Dense(classes, activation="softmax", name="predictions")(x))


def googlenet(shape, classes):
    """The paper's: biases, local response normalisation, true 5x5; as at inference, without the auxiliary heads."""

    def relu(x, filters, kernel, name, strides=1):
        return conv(filters, kernel, name, strides, "same", "relu")(x)

    def pool(x, strides=2):
        return layers.MaxPooling2D(3, strides, "same")(x)

    def normalised(x):
        return layers.Lambda(lambda y: tf.nn.local_response_normalization(y, 2, 1.0, 2e-5, 0.75))(x)

    table = {
        "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
        "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
        "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128),
        "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
    }
    x = inputs = Input(shape)
    x = normalised(pool(relu(x, 64, 7, "conv1", 2)))
    x = relu(relu(x, 64, 1, "conv2.reduce"), 192, 3, "conv2.conv")
    x = pool(normalised(x))
    for name, (b1, r2, b2, r3, b3, b4) in table.items():
        x = layers.Concatenate()([
            relu(x, b1, 1, f"{name}.b1"),
            relu(relu(x, r2, 1, f"{name}.b2.reduce"), b2, 3, f"{name}.b2.conv"),
            relu(relu(x, r3, 1, f"{name}.b3.reduce"), b3, 5, f"{name}.b3.conv"),
            relu(pool(x, 1), b4, 1, f"{name}.b4.project"),
        ])
        if name in ("3b", "4e"):
            x = pool(x)
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(classes, activation="softmax", name="predictions")(x))


def application(name):
    return lambda shape, classes: getattr(applications, name)(weights=None, input_shape=shape, classes=classes)


NETWORKS = {
    "lenet5": lenet5,
    "simple-cnn": simple_cnn,
    "inception-cifar10": inception_cifar10,
    "residual-same": residual_same,
    "residual-different": residual_different,
    "resnet50-small": resnet50_small,
    "residual-stack": residual_stack,
    "mini-xception": mini_xception,
    "vgg16-inception": vgg16_inception,
    "googlenet": googlenet,
    "vgg16": application("VGG16"),
    "inception-v3": application("InceptionV3"),
    "resnet50": application("ResNet50"),
    "resnet152": application("ResNet152"),
}
