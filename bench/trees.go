package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

const (
	manyFiles = 5000
	fileSize  = 2000
	largeFile = 512 << 20
	// farFile is the large file that goes over the slow network.
	farFile = 64 << 20
)

// manySmall makes 50 directories of 100 small files each.
func manySmall(dir string) error {
	for i := range manyFiles {
		sub := filepath.Join(dir, fmt.Sprintf("dir%02d", i%50))
		if i < 50 {
			if err := os.MkdirAll(sub, 0o755); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("file%04d.txt", i)), noise(uint64(i), fileSize), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// changeSome changes one file in a hundred.
func changeSome(dir string, round int) error {
	for i := round % 100; i < manyFiles; i += 100 {
		path := filepath.Join(dir, fmt.Sprintf("dir%02d", i%50), fmt.Sprintf("file%04d.txt", i))
		if err := os.WriteFile(path, noise(uint64(manyFiles*(round+1)+i), fileSize), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// oneLarge makes one file of that size.
func oneLarge(size int) func(dir string) error {
	return func(dir string) (err error) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		f, err := os.Create(filepath.Join(dir, "large"))
		if err != nil {
			return err
		}
		defer func() {
			if closing := f.Close(); err == nil {
				err = closing
			}
		}()
		for at := 0; at < size; at += 1 << 20 {
			if _, err := f.Write(noise(uint64(at), 1<<20)); err != nil {
				return err
			}
		}
		return nil
	}
}

// changePlaces overwrites a hundredth of the large file, in a hundred places.
func changePlaces(dir string, round int) (err error) {
	f, err := os.OpenFile(filepath.Join(dir, "large"), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() {
		if closing := f.Close(); err == nil {
			err = closing
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	for i := range int64(100) {
		data := noise(uint64(round)*1000+uint64(i), int(info.Size()/10000))
		if _, err := f.WriteAt(data, i*info.Size()/100); err != nil {
			return err
		}
	}
	return nil
}

// noise returns bytes that cannot be compressed, the same for the same seed.
func noise(seed uint64, n int) []byte {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	data := make([]byte, n)
	// Read never fails.
	_, _ = rand.NewChaCha8(key).Read(data)
	return data
}
