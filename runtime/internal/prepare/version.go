package prepare

// Version counts the ways in which Prepare has rewritten and refused programs.
// Prepared programs that are kept must be made anew when it changes. It has to be
// raised with every change of what Prepare makes of some program.
const Version = 14
