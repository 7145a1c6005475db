// This file has the compiler take programMain, which has no body.
