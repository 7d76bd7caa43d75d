"""What the processors say that they used: Intel's and AMD's running average power limit (RAPL) counters, on Linux."""

from __future__ import annotations

from pathlib import Path

_ZONES = Path("/sys/class/powercap")
_MICROJOULES_A_WATT_HOUR = 3.6e9


class EnergyMeter:
    """Counts from now on. Other programs on the same machine count too."""

    def __init__(self, zones: Path = _ZONES) -> None:
        # Whole packages only, `intel-rapl:0`: their parts, `intel-rapl:0:1`, are counted in them.
        self._zones = [zone for zone in sorted(zones.glob("*-rapl:*")) if zone.name.count(":") == 1]
        self._before = self._read()

    def watt_hours(self) -> float | None:
        """Since the meter was made; None where no processor tells."""
        if not self._before:
            return None
        used = 0.0
        for zone, now in self._read().items():
            since = now - self._before.get(zone, now)
            used += since if since >= 0 else since + _number(zone / "max_energy_range_uj")  # the counter began again
        return used / _MICROJOULES_A_WATT_HOUR

    def _read(self) -> dict[Path, float]:
        try:
            return {zone: _number(zone / "energy_uj") for zone in self._zones}
        except OSError:  # since 2020 root alone may read it
            return {}


def _number(path: Path) -> float:
    return float(path.read_text(encoding="utf-8"))
