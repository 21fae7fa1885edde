#pragma once

namespace orochi::swim::simulation {

/// Prints a Markdown table: how long it takes until all know of a crash, and how often somebody who
/// is there is called dead, by number of nodes and rate of loss, for the local and the LAN profile.
void PrintDetectionFigures();

}  // namespace orochi::swim::simulation
