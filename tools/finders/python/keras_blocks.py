"""Runs Keras' blocks of the lessons, each page as one notebook, and compares the numbers that they print with the page's own.

python tools/finders/python/keras_blocks.py docs/lessons/*.md
"""

import contextlib
import io
import re
import sys

import keras
import numpy as np

FENCE = re.compile(r"```(\w+)\n(.*?)```", re.S)


def random_digits():
    """Stands for MNIST, which Keras would download."""
    def images(count):
        return np.random.randint(256, size=(count, 28, 28)), np.random.randint(10, size=count)

    return images(500), images(500)


def numbers(text):
    return [f"{float(each):g}" if "." in each else each for each in re.findall(r"-?\d+(?:\.\d+)?", text)]


def main():
    keras.datasets.mnist.load_data = random_digits
    failed = 0
    for page in sys.argv[1:]:
        space = {}
        blocks = FENCE.findall(open(page, encoding="utf8").read())
        for index, (language, code) in enumerate(blocks):
            if language != "python":
                continue
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, f"{page}, block {index + 1}", "exec"), space)
            # Ours, and what it prints.
            after = blocks[index + 1 : index + 3]
            told = after[1][1] if [each[0] for each in after] == ["ts", "text"] else ""
            keras_says = numbers(printed.getvalue())
            differs = "true" not in told and [each for each in keras_says if each not in numbers(told)]
            failed += bool(differs)
            print(f"{page}, block {index + 1}: {'DIFFERS' if differs else 'ok'} {' '.join(keras_says)}")
    sys.exit(1 if failed else 0)


main()
