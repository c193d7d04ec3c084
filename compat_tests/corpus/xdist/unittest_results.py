"""Runs unittest cases and sends each result when it is there."""
import io
import unittest


class Case(unittest.TestCase):
    def setUp(self):
        self.values = [1, 2]

    def test_sum(self):
        self.assertEqual(sum(self.values), 3)

    def test_wrong(self):
        self.assertIn(5, self.values)

    def test_raises(self):
        with self.assertRaises(ZeroDivisionError):
            1 / 0

    @unittest.skip("not now")
    def test_skipped(self):
        pass

    def test_error(self):
        raise OSError("broken")


if __name__ == "__channelexec__":
    class Result(unittest.TextTestResult):
        def stopTest(self, test):
            channel.send(test._testMethodName)

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Case)
    result = unittest.TextTestRunner(stream=io.StringIO(), resultclass=Result).run(suite)
    channel.send((result.testsRun, [str(e[1]).splitlines()[-1] for e in result.errors + result.failures], len(result.skipped)))


def drive(at):
    at.follow(at.run(at.module))
