package gpython

import (
	"io/fs"
	"syscall"
	"time"
)

// factsOf is what Windows tells without opening the file.
func factsOf(info fs.FileInfo) fileFacts {
	facts := fileFacts{links: 1, accessed: info.ModTime(), changed: info.ModTime()}
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		facts.accessed = time.Unix(0, data.LastAccessTime.Nanoseconds())
		facts.changed = time.Unix(0, data.CreationTime.Nanoseconds())
		facts.more = map[string]int64{"st_file_attributes": int64(data.FileAttributes)}
	}
	return facts
}
