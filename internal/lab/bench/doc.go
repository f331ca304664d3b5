// Package bench measures manofwar against its peers, side by side in one run: one file for each row of `make bench`.
package bench
