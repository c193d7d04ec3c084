package xspec_test

import (
	"errors"
	"fmt"

	"github.com/go-execnet/execnet/xspec"
)

func ExampleParse() {
	spec, err := xspec.Parse("ssh=-p 5000 me@host//python=python3.12//chdir=/tmp/x//env:LANG=C//nice=5")
	if err != nil {
		panic(err)
	}
	if err := spec.Validate(); err != nil {
		panic(err)
	}
	fmt.Println(spec.Kind(), spec.SSH)
	fmt.Println(spec.Python, spec.ChDir, spec.Env["LANG"], spec.Nice)
	// Output:
	// ssh -p 5000 me@host
	// python3.12 /tmp/x C 5
}

func ExampleError() {
	_, err := xspec.Parse("popen//nice=high")
	var wrong *xspec.Error
	if errors.As(err, &wrong) {
		fmt.Println(wrong.Key)
	}
	fmt.Println(err)

	spec, err := xspec.Parse("popen//sshclient=openssh")
	if err != nil {
		panic(err)
	}
	fmt.Println(spec.Validate())
	// Output:
	// nice
	// execnet: spec "popen//nice=high": key "nice": "high" is not an integer; write for example "nice=10"
	// execnet: spec "popen//sshclient=openssh": key "sshclient": it goes with ssh or vagrant_ssh only
}
