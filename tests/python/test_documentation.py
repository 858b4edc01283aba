"""The examples of docs/python.md, one after the other, as a reader would run them."""

import contextlib
import io
import os
import re
import shutil
import unittest

from support import DATA, FOLDER, SOURCE, model_file


class Documentation(unittest.TestCase):
    def test_examples_run(self):
        text = (SOURCE / "docs/python.md").read_text(encoding="utf-8")
        blocks = list(re.finditer(r"```python\n(.*?)```", text, re.DOTALL))
        self.assertGreaterEqual(len(blocks), 5)
        folder = FOLDER / "documentation"
        folder.mkdir()
        for file in (DATA / "train.xyz", DATA / "test.xyz", model_file()):
            shutil.copy(file, folder)
        names, before, printed = {}, os.getcwd(), io.StringIO()
        os.chdir(folder)
        try:
            for block in blocks:
                line = text.count("\n", 0, block.start()) + 1
                with contextlib.redirect_stdout(printed):
                    exec(compile("\n" * line + block[1], "docs/python.md", "exec"), names)
        finally:
            os.chdir(before)
        self.assertIn("['Si'] 5.0 True", printed.getvalue())
        self.assertTrue((folder / "pairs_and_soap.h5").exists())


if __name__ == "__main__":
    unittest.main()
