package gpython

import (
	"io/fs"
	"syscall"
	"time"
)

// factsOf is what the system knows of a file.
func factsOf(info fs.FileInfo) fileFacts {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileFacts{accessed: info.ModTime(), changed: info.ModTime()}
	}
	return fileFacts{
		inode: s.Ino, device: s.Dev, links: uint64(s.Nlink), uid: s.Uid, gid: s.Gid,
		accessed: time.Unix(s.Atim.Unix()), changed: time.Unix(s.Ctim.Unix()),
		more: map[string]int64{"st_blocks": s.Blocks, "st_blksize": int64(s.Blksize), "st_rdev": int64(s.Rdev)},
	}
}
