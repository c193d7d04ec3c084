package gpython

// _shutil: what library/shutil.py needs of the system.

import (
	"github.com/go-python/gpython/py"
)

var usageType = newType(py.TupleType, "usage", "How full a disk is.")

// shutilHelper makes the module _shutil.
func (in *interp) shutilHelper() (*py.Module, error) {
	return in.newModule("_shutil", py.StringDict{"disk_usage": &function{"disk_usage", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("disk_usage", args, kwargs, 1, "path")
		if err != nil {
			return nil, err
		}
		path, err := pathArgument("statvfs", "path", "string, bytes, os.PathLike or integer", a[0])
		if err != nil {
			return nil, err
		}
		total, used, free, err := diskUsage(path)
		if err != nil {
			return nil, aboutPath(err, a[0])
		}
		return &namedTuple{Tuple: py.Tuple{py.Int(total), py.Int(used), py.Int(free)}, class: usageType, fields: []string{"total", "used", "free"}}, nil
	}}})
}
