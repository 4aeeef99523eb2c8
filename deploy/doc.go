// Package deploy holds the files for a deployment beside docker-compose.yml and Dockerfile at the top: the dynamic
// configuration of the Temporal server and an example of the settings. Its tests compare all these files with what
// the programs in the images really read. The package has no code of its own. Outside of tests it imports nothing of
// Oppflow.
package deploy
