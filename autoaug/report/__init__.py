from pathlib import Path
def write_report(folder) -> Path:
    return folder.report
