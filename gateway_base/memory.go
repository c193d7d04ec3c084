package gatewaybase

import "context"

const (
	memorySource = `
import os, sys
if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes
    # PROCESS_MEMORY_COUNTERS: two numbers of 32 bits, the most memory so far, the present memory, ...
    size = 8 + 8 * ctypes.sizeof(ctypes.c_size_t)
    counters = ctypes.create_string_buffer(size)
    ctypes.c_uint32.from_buffer(counters).value = size
    process = ctypes.windll.kernel32.GetCurrentProcess
    process.restype = wintypes.HANDLE
    ask = ctypes.windll.psapi.GetProcessMemoryInfo
    ask.argtypes = [wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD]
    if not ask(process(), counters, size):
        raise OSError("GetProcessMemoryInfo failed")
    memory = ctypes.c_size_t.from_buffer(counters, 8 + ctypes.sizeof(ctypes.c_size_t)).value
elif os.path.exists("/proc/self/statm"):
    with open("/proc/self/statm") as f:
        memory = int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
else:
    import subprocess
    memory = int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(os.getpid())])) * 1024
channel.send(memory)
`
	memoryFile = "execnet/memory.py"
)

// RemoteMemory asks the far end how many bytes of memory its process occupies (its resident set). A
// Go worker on Linux adds what its child processes occupy, such as a CPython beside it; elsewhere
// it tells what the Go runtime has taken. The answer waits while C code in the far end holds
// Python's global lock.
func (g *Gateway) RemoteMemory(ctx context.Context) (int64, error) {
	ch, err := g.start(ctx, &task{source: memorySource, file: memoryFile, own: true})
	if err != nil {
		return 0, err
	}
	memory, err := Receive[int64](ctx, ch)
	if err != nil {
		return 0, err
	}
	return memory, ch.WaitClose(ctx)
}

// AsksMemory reports whether p is the source that RemoteMemory sends, which a Go worker answers
// itself.
func (p *Program) AsksMemory() bool {
	return p.Call == "" && p.File == memoryFile && p.Source == memorySource
}
