package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestVersionsOfOtherPackages(t *testing.T) {
	for _, c := range []struct{ version, python, debian string }{
		{"v1.2.3", "1.2.3", "1.2.3"},
		{"v1.2.3+dirty", "1.2.3+dirty", "1.2.3+dirty"},
		{"v1.2.3-rc.1", "1.2.3rc1", "1.2.3~rc.1"},
		{"v1.2.3-beta2", "1.2.3b2", "1.2.3~beta2"},
		{"v0.0.0-20261129101957-0a2f0133aabb", "0.0.0.dev20261129101957+0a2f0133aabb", "0.0.0~20261129101957.0a2f0133aabb"},
		{"v1.2.4-0.20261129101957-0a2f0133aabb+dirty", "1.2.4.dev20261129101957+0a2f0133aabb.dirty", "1.2.4~0.20261129101957.0a2f0133aabb+dirty"},
		{"v1.2.3-rc.1.0.20261129101957-0a2f0133aabb", "1.2.3rc1.post1.dev20261129101957+0a2f0133aabb", "1.2.3~rc.1.0.20261129101957.0a2f0133aabb"},
	} {
		got, err := python(c.version)
		assert.NoError(t, err, c.version)
		assert.Equal(t, c.python, got)
		assert.Equal(t, c.debian, debian(c.version))
	}
	for _, wrong := range []string{"", "(devel)", "1.2.3", "v1.2", "v1.2.3-fast.1"} {
		_, err := python(wrong)
		assert.ErrorContains(t, err, "version", wrong)
	}
}
