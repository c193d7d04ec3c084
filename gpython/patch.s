// This file is empty: with it in the package, Go lets patch.go declare functions without a body.
