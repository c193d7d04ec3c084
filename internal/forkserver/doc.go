// Package forkserver runs a Python that has imported modules and forks a worker whenever one is
// asked for. Such a worker is there at once, whatever time the imports take, and shares the memory
// that they occupy. It is what the forkserver of Python's multiprocessing does.
//
// There is nothing in it on Windows, where no process can be forked.
package forkserver
