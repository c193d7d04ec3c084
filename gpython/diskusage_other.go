//go:build !linux && !darwin

package gpython

import "github.com/go-python/gpython/py"

// diskUsage is not told here.
func diskUsage(string) (total, used, free uint64, err error) {
	return 0, 0, 0, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no shutil.disk_usage on this system")
}
