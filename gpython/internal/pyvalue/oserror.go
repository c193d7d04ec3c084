package pyvalue

import "github.com/go-python/gpython/py"

// osErrorText is str(e) for an OSError that has a number and a text: with the files that it is
// about.
func osErrorText(e *py.Exception, args py.Tuple) (string, error) {
	number, err := Str(args[0])
	if err != nil {
		return "", err
	}
	text, err := Str(args[1])
	text = "[Errno " + number + "] " + text
	for i, name := range []string{"filename", "filename2"} {
		file := e.Dict[name]
		if file == nil && 2+2*i < len(args) {
			file = args[2+2*i] // of a class of the program
		}
		if file == nil || file == py.None || err != nil {
			break
		}
		var shown string
		shown, err = Repr(file)
		text += []string{": ", " -> "}[i] + shown
	}
	return text, err
}
